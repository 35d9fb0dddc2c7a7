"""A stand-in as a program of its own, on real time: what a test starts where there is no binary."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from aerostat.sim.faults import Faults
from aerostat.sim.guest_state import Load
from aerostat.sim.http_api.server import ApiServer
from aerostat.sim.http_api.wire import Answer, Request
from aerostat.sim.physics import GuestBuild
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

NAME = "guest"
_LOOK_S = 0.05
_NO_DRIVER = "noballoon"  # the lab's kernel argument for a guest without the driver


class Api(Protocol):
    """What answers."""

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""
        ...

    def faults(self) -> Faults:
        """What is wrong with the VM just now."""
        ...

    @property
    def is_ending(self) -> bool:
        """Whether the process is to end."""
        ...


def boot(world: World, *, build: GuestBuild, cmdline: str) -> None:
    """The guest starts, and does a little all the time."""
    # Its driver reports every second, as it does where a daemon asks for it.
    physics = replace(build.physics, statistics_period_s=1.0)
    spec = GuestSpec(
        name=NAME, build=replace(build, physics=physics), load=Load(hot_bytes=80 * MIB)
    )
    guest = world.add(spec)
    guest.faults.has_driver = _NO_DRIVER not in cmdline.split()


def serve(socket: Path, api_in: Callable[[World], Api]) -> None:
    """Serve an API until the process is told to end."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        # Samples are stamped with this machine's clock, as a hypervisor stamps them.
        world = World(wall_start_s=time.time())
        api = api_in(world)
        server = ApiServer(socket, api.answer, api.faults)
        await server.open()
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        living = asyncio.create_task(world.run())
        while not ended.is_set() and not api.is_ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await ended.wait()
        living.cancel()
        await server.close()

    asyncio.run(main())
