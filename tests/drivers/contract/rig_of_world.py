"""What every rig with simulated guests does alike: the guests are a world's, on virtual time."""

import asyncio
from abc import abstractmethod
from pathlib import Path

from aerostat.model.guest import RunState
from aerostat.ports.driver import HypervisorDriver
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.guest_state import Load
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from drivers.contract.rig import Case, Kind, Rig

_BOOT_S = 2.0


class WorldRig(Rig):
    """Guests of a simulated world; subclasses say what stands between them and the driver."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.world = World()
        self.clock = SimClock(asyncio.get_running_loop())

    @abstractmethod
    def new_driver(self) -> HypervisorDriver:
        """A driver as a daemon would make it."""

    async def __aenter__(self) -> "WorldRig":
        self._living = asyncio.create_task(self.world.run())
        await self.open_peer()
        self.driver = self.new_driver()
        await self.driver.open(self.events.append)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.driver.close()
        await self.close_peer()
        self._living.cancel()
        await asyncio.gather(self._living, return_exceptions=True)

    async def open_peer(self) -> None:
        """What stands between, if anything does."""

    async def close_peer(self) -> None:
        """And its end."""

    async def start(self, name: str, kind: Kind = Kind.ORDINARY) -> None:
        guest = self.world.add(GuestSpec(name=name, load=Load(hot_bytes=80 * MIB)))
        guest.faults.has_driver = kind is not Kind.NO_DRIVER
        guest.faults.refuses_targets = kind is Kind.REFUSING
        await asyncio.sleep(_BOOT_S)

    async def end(self, name: str) -> None:
        self.world.remove(name)

    async def reopen(self) -> None:
        await self.driver.close()
        self.driver = self.new_driver()
        await self.driver.open(self.events.append)

    async def actual_bytes(self, name: str) -> int:
        return self.guest(name).actual_bytes

    async def available_bytes(self, name: str) -> int:
        return self.guest(name).memory().available_bytes

    def wall_s(self) -> float:
        return self.clock.wall_s()

    async def pause(self, name: str) -> None:
        self.world.pause(name)

    async def resume(self, name: str) -> None:
        self.world.resume(name)

    async def reset(self, name: str) -> None:
        self.world.reset(name)

    async def begin_migration(self, name: str) -> None:
        self.world.migrate(name)

    async def end_migration(self, name: str) -> None:
        self.guest(name).run_state = RunState.RUNNING

    async def hang(self, name: str) -> None:
        self.guest(name).faults.is_hung = True

    async def wake(self, name: str) -> None:
        self.guest(name).faults.is_hung = False

    async def lose_replies(self, name: str) -> None:
        self.guest(name).faults.loses_replies = True

    async def keep_replies(self, name: str) -> None:
        self.guest(name).faults.loses_replies = False

    async def stall(self, name: str) -> None:
        self.guest(name).faults.is_stalled = True

    async def unstall(self, name: str) -> None:
        self.guest(name).faults.is_stalled = False

    def guest(self, name: str) -> SimulatedGuest:
        return self.world.guest(name)


def play_in_world(rig_class: type[WorldRig], case: Case, directory: Path) -> None:
    """Play a case on virtual time."""

    async def whole() -> None:
        async with rig_class(directory) as rig:
            await case.play(rig)

    run_simulated(whole())
