"""All guests of a world, each behind a stand-in for Cloud Hypervisor."""

from pathlib import Path

from aerostat.sim.cloud_hypervisor.api import CloudHypervisorApi, VmConfig
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.http_api.server import ApiServer
from aerostat.sim.machines import MachinesOf


class CloudHypervisors(MachinesOf[ApiServer]):
    """APIs for a world's guests, ``NAME.sock``; ``apis`` has what answers there, by name."""

    def new_peer(self, guest: SimulatedGuest, path: Path) -> ApiServer:
        """An API on a socket, with the VM booted."""
        build = guest.build
        config = VmConfig(
            size_bytes=build.max_bytes,
            deflate_on_oom=build.deflate_on_oom,
            free_page_reporting=build.free_page_reporting,
        )
        api = CloudHypervisorApi(self.world, guest.name, config)
        # The guest itself, not who has its name later: its process ends with it.
        return ApiServer(path, api.answer, lambda: guest.faults)
