"""All guests of a world, each behind a stand-in for Firecracker."""

from pathlib import Path

from aerostat.sim.firecracker.api import Balloon, FirecrackerApi, MicroVm
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.http_api.server import ApiServer
from aerostat.sim.machines import MachinesOf
from aerostat.units import MIB


class Firecrackers(MachinesOf[ApiServer]):
    """APIs for a world's guests, ``NAME.sock``."""

    def new_peer(self, guest: SimulatedGuest, path: Path) -> ApiServer:
        """An API on a socket, with the microVM started."""
        build = guest.build
        balloon = Balloon(
            deflate_on_oom=build.deflate_on_oom,
            free_page_reporting=build.free_page_reporting,
            stats_polling_interval_s=int(build.physics.statistics_period_s),
        )
        machine = MicroVm(mem_size_mib=build.max_bytes // MIB, balloon=balloon)
        api = FirecrackerApi(self.world, guest.name, machine)
        # The guest itself, not who has its name later: its process ends with it.
        return ApiServer(path, api.answer, lambda: guest.faults)
