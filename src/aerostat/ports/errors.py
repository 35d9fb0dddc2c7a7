"""The error tree. Messages are sentences with value, bound and unit."""

from aerostat.model.guest import GuestId


class AerostatError(Exception):
    """Anything that Aerostat itself reports to a person."""

    exit_status = 1


class DriverError(AerostatError):
    """An operation on a guest did not end well."""

    def __init__(self, guest: GuestId, operation: str, detail: str) -> None:
        super().__init__(f"{operation} of guest {guest}: {detail}")
        self.guest = guest
        self.operation = operation
        self.detail = detail


class DriverUnavailableError(DriverError):
    """Nothing was sent, so nothing changed; try again later."""


class OutcomeUnknownError(DriverError):
    """Sent, and no answer came in time: re-read before acting again."""


class DriverRefusedError(DriverError):
    """The hypervisor said no."""


class PeerViolationError(DriverError):
    """The peer broke its own protocol."""


class GuestGoneError(DriverError):
    """The guest is not there any more."""


class SensorError(AerostatError):
    """The host could not be read."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
