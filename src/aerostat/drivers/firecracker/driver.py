"""The driver of Firecracker: all microVMs whose API sockets match."""

from pathlib import Path

from aerostat.drivers.firecracker.guest import FirecrackerGuest
from aerostat.drivers.http_api.guest import ApiGuest, Tell
from aerostat.drivers.http_api.session import ApiSession
from aerostat.drivers.http_api.watch import ApiWatch
from aerostat.drivers.sockets import SocketDriver
from aerostat.drivers.sockets.watch import Watch


class FirecrackerWatch(ApiWatch):
    """One API socket and whoever is behind it."""

    async def identify(self, session: ApiSession, tell: Tell) -> ApiGuest:
        """Find out who it is."""
        return await FirecrackerGuest.identify(
            session, label=self.label, settings=self.settings, clock=self.clock, tell=tell
        )


class FirecrackerDriver(SocketDriver):
    """The port ``HypervisorDriver`` on Firecracker's API (``--api-sock``).

    A microVM's id is its ``--id``, else its socket's name; a guest that reboots ends its
    Firecracker, so that a microVM is never reset.
    """

    def new_watch(self, path: Path, label: str) -> Watch:
        """Watch one API socket."""
        return FirecrackerWatch(
            path, label=label, settings=self.settings, clock=self.clock, owner=self._roll
        )
