"""The stand-in as a program: ``python -m aerostat.sim.cloud_hypervisor --api-socket PATH``."""

import argparse
from pathlib import Path

from aerostat.sim.cloud_hypervisor.api import CloudHypervisorApi, VmConfig
from aerostat.sim.http_api.program import NAME, boot, serve
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import World


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="cloud-hypervisor")
    parser.add_argument("--api-socket", required=True)
    options = parser.parse_args()

    def api_in(world: World) -> CloudHypervisorApi:
        def start(config: VmConfig) -> None:
            build = GuestBuild(
                max_bytes=config.size_bytes,
                deflate_on_oom=config.deflate_on_oom,
                free_page_reporting=config.free_page_reporting,
            )
            boot(world, build=build, cmdline=config.cmdline)

        return CloudHypervisorApi(world, NAME, None, boot=start)

    serve(Path(options.api_socket.removeprefix("path=")), api_in)


if __name__ == "__main__":
    main()
