"""How a call to libvirt may end that does not end well."""


class LibvirtCallError(Exception):
    """A call did not bring what was asked for."""


class CallRefusedError(LibvirtCallError):
    """libvirt answered with an error. Nothing was changed."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class DomainGoneError(LibvirtCallError):
    """There is no such domain any more, or it does not run."""


class ConnectionLostError(LibvirtCallError):
    """libvirtd cannot be reached, or went away; what was under way may have been done."""


class NoLaneError(LibvirtCallError):
    """All worker threads wait for libvirt: nothing was sent."""


class NoReplyError(LibvirtCallError):
    """The call takes longer than its deadline; it goes on, and keeps its worker thread."""
