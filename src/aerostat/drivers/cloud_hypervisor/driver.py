"""The driver of Cloud Hypervisor: all VMs whose API sockets match."""

from pathlib import Path

from aerostat.drivers.cloud_hypervisor.guest import CloudHypervisorGuest
from aerostat.drivers.http_api.guest import ApiGuest, Tell
from aerostat.drivers.http_api.session import ApiSession
from aerostat.drivers.http_api.watch import ApiWatch
from aerostat.drivers.sockets import SocketDriver
from aerostat.drivers.sockets.watch import Watch

BASE = "/api/v1"


class CloudHypervisorWatch(ApiWatch):
    """One API socket and whoever is behind it."""

    base = BASE

    async def identify(self, session: ApiSession, tell: Tell) -> ApiGuest:
        """Find out who it is."""
        return await CloudHypervisorGuest.identify(
            session, label=self.label, settings=self.settings, clock=self.clock, tell=tell
        )


class CloudHypervisorDriver(SocketDriver):
    """The port ``HypervisorDriver`` on Cloud Hypervisor's API (``--api-socket``).

    A VM's id is its platform's UUID, else its socket's name, which also is its name.
    """

    def new_watch(self, path: Path, label: str) -> Watch:
        """Watch one API socket."""
        return CloudHypervisorWatch(
            path, label=label, settings=self.settings, clock=self.clock, owner=self._roll
        )
