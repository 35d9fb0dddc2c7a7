"""How an exchange with a VM's hypervisor over its socket can end badly."""


class SessionError(Exception):
    """A command to a VM's hypervisor did not end well."""


class NotListeningError(SessionError):
    """Nobody listens at the socket: there is no VM."""


class NotConnectedError(SessionError):
    """Nothing was sent."""


class NoAnswerError(SessionError):
    """Sent, and no answer came in time, or the connection ended first."""


class ViolationError(SessionError):
    """What came is not the protocol."""


class RefusedError(SessionError):
    """The hypervisor answered with an error."""


class AnswerViolationError(Exception):
    """An answer has not the form that the protocol promises."""
