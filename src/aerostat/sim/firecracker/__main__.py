"""The stand-in as a program: ``python -m aerostat.sim.firecracker --api-sock PATH [--id ID]``."""

import argparse
from pathlib import Path

from aerostat.sim.firecracker.api import Balloon, FirecrackerApi, MicroVm
from aerostat.sim.http_api.program import NAME, boot, serve
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import World
from aerostat.units import MIB


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="firecracker")
    parser.add_argument("--api-sock", required=True)
    parser.add_argument("--id", default="anonymous-instance")
    options = parser.parse_args()

    def api_in(world: World) -> FirecrackerApi:
        def start(machine: MicroVm) -> None:
            balloon = machine.balloon or Balloon()
            build = GuestBuild(
                max_bytes=machine.mem_size_mib * MIB,
                deflate_on_oom=balloon.deflate_on_oom,
                free_page_reporting=balloon.free_page_reporting,
            )
            boot(world, build=build, cmdline=str(machine.boot_source.get("boot_args", "")))

        machine = MicroVm()
        return FirecrackerApi(world, NAME, machine, identifier=options.id, boot=start)

    serve(Path(options.api_sock), api_in)


if __name__ == "__main__":
    main()
