"""The loop on simulated guests and virtual time, with everything it does written down."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aerostat.control.board import Status
from aerostat.control.loop import Loop
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.events import Outcome, TargetAnswered
from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.model.host import HostMemory
from aerostat.model.modes import Mode, OnStop
from aerostat.ports.journal import RoundRecord
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.virtual_time import SimClock
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

NAMES = ("g0", "g1", "g2")
TIGHT = EngineParams(host=HostParams(budget_bytes=900 * MIB))
"""Three guests of 512 MiB on 900 MiB: somebody has to give."""

BROKEN = replace(TIGHT, policy="unheard of")  # type: ignore[arg-type] # a defect is the point
"""A defect on demand: a policy that the engine does not know fails every step, and only there."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One command, as the driver saw it."""

    guest: str
    target_bytes: int
    at_s: float


class WatchedDriver(SimulatedDriver):
    """Writes down what it is asked; a test may let any call fail."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.sent: list[Sent] = []
        self.under_way: dict[str, int] = {}
        self.most_under_way = 0
        self.fails_listing: Exception | None = None
        self.fails_sending: Exception | None = None
        self.on_read: Callable[[], None] | None = None
        self.reads = 0

    async def list_guests(self) -> tuple[GuestId, ...]:
        if self.fails_listing is not None:
            raise self.fails_listing
        return await super().list_guests()

    async def read_guest(self, guest: GuestId) -> GuestSnapshot:
        self.reads += 1
        if self.on_read is not None:
            self.on_read()
        return await super().read_guest(guest)

    async def set_target(self, guest: GuestId, *, target_bytes: int) -> None:
        now_s = asyncio.get_running_loop().time()
        self.sent.append(Sent(guest=guest, target_bytes=target_bytes, at_s=now_s))
        self.under_way[guest] = self.under_way.get(guest, 0) + 1
        self.most_under_way = max(self.most_under_way, self.under_way[guest])
        try:
            if self.fails_sending is not None:
                raise self.fails_sending
            await super().set_target(guest, target_bytes=target_bytes)
        finally:
            self.under_way[guest] -= 1


class FaultySensor(SimulatedSensor):
    """A host that cannot be read when a test says so."""

    failure: Exception | None = None

    def read(self) -> HostMemory:
        if self.failure is not None:
            raise self.failure
        return super().read()


@dataclass
class Rounds:
    """A journal that keeps everything, and does what a test wants done after a round."""

    records: list[RoundRecord] = field(default_factory=list)
    then: Callable[[RoundRecord], None] | None = None

    def record(self, record: RoundRecord) -> None:
        self.records.append(record)
        if self.then is not None:
            self.then(record)

    def answers(self, outcome: Outcome) -> list[TargetAnswered]:
        return [
            event
            for record in self.records
            for event in record.events
            if isinstance(event, TargetAnswered) and event.outcome is outcome
        ]


@dataclass
class Rig:
    """A world, the loop that balances it, and what both did."""

    world: World
    driver: WatchedDriver
    sensor: FaultySensor
    loop: Loop
    rounds: Rounds
    statuses: list[Status]

    @property
    def status(self) -> Status:
        return self.loop.board.status

    @property
    def sent(self) -> list[Sent]:
        return self.driver.sent

    def targets_mib(self) -> list[int]:
        return [guest.target_bytes // MIB for guest in self.world.guests.values()]

    async def until(self, condition: Callable[[], bool], *, deadline_s: float = 60.0) -> float:
        """Wait in virtual time; returns how long it took."""
        began_s = asyncio.get_running_loop().time()
        while not condition():
            waited_s = asyncio.get_running_loop().time() - began_s
            assert waited_s < deadline_s, f"not within {deadline_s} s; targets {self.targets_mib()}"
            await asyncio.sleep(0.05)
        return asyncio.get_running_loop().time() - began_s

    async def until_squeezed(self) -> None:
        """Wait until the guests hold no more than their budget, and the loop has seen that."""
        await self.until(lambda: sum(self._seen_mib()) <= 900)

    def _seen_mib(self) -> list[float]:
        """What the loop last read of each guest; infinite before that."""
        guests = self.rounds.records[-1].snapshot.guests if self.rounds.records else ()
        sizes = [guest.actual_bytes for guest in guests]
        return [math.inf if size is None else size / MIB for size in sizes] or [math.inf]


def new_rig(*, mode: Mode = Mode.ENFORCE, params: EngineParams = TIGHT, hot_mib: int = 80) -> Rig:
    load = Load(hot_bytes=hot_mib * MIB, heap_bytes=350 * MIB)
    world = World([GuestSpec(name=name, load=load) for name in NAMES])
    driver, sensor, rounds = WatchedDriver(world), FaultySensor(world.host), Rounds()
    loop = Loop(
        driver=driver,
        sensor=sensor,
        clock=SimClock(asyncio.get_running_loop()),
        params=params,
        mode=mode,
        journal=rounds,
    )
    statuses: list[Status] = []
    loop.board.follow(statuses.append)
    return Rig(world, driver, sensor, loop, rounds, statuses)


@asynccontextmanager
async def balancing(rig: Rig, on_stop: OnStop = OnStop.LEAVE) -> AsyncIterator[Rig]:
    """Run a rig's loop beside its world; the loop has stopped when the block is left."""
    async with asyncio.TaskGroup() as tasks:
        living = tasks.create_task(rig.world.run())
        running = tasks.create_task(rig.loop.run(on_stop))
        try:
            yield rig
        finally:
            rig.loop.request_stop()
            async with asyncio.timeout(10):
                await running
            living.cancel()
