"""The ladder on simulated hosts: what the host does where balloons cannot, and what it spares."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aerostat.control.loop import Loop
from aerostat.engine.params import Accounting, EngineParams, HostParams, LadderParams
from aerostat.model.events import TechniqueAct, TechniqueUsed
from aerostat.model.host_state import DECLARABLE_STEPS, HostState, LadderStep
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.model.modes import Mode
from aerostat.ports.journal import RoundRecord
from aerostat.sim.constants import HostPhysics
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import HeapMode, Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.physics import GuestBuild
from aerostat.sim.techniques import SimulatedTechniques
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB, MIB

ALL = DECLARABLE_STEPS
LADDER = LadderParams(soft=ALL, hard=ALL, critical=ALL, put_back_s=30.0)


@dataclass
class Played:
    """What a run came to."""

    records: list[RoundRecord] = field(default_factory=list)
    on: list[LadderStep] = field(default_factory=list)

    def record(self, record: RoundRecord) -> None:
        self.records.append(record)

    def acts(self) -> list[TechniqueUsed]:
        return [e for r in self.records for e in r.events if isinstance(e, TechniqueUsed)]

    def taken_bytes(self, guest: str) -> int:
        return sum(e.taken_bytes or 0 for e in self.acts() if e.guest == guest)

    def available_bytes(self) -> int:
        memory = self.records[-1].snapshot.memory
        assert memory is not None
        return memory.available_bytes

    def states(self) -> set[HostState]:
        return {record.trace.host.state for record in self.records}


def crowded(*, has_driver: bool, requests_per_s: float = 4, other_mib: int = 300) -> World:
    """Two guests that filled 700 of their 1024 MiB once and use 60 of it, on a host of 2 GiB.

    Here a host pages out what chance picks, so they do little: they touch 128 KiB a second.
    """
    load = Load(
        hot_bytes=60 * MIB,
        mode=HeapMode.COLD,
        heap_bytes=700 * MIB,
        requests_per_s=requests_per_s,
    )
    build = GuestBuild(max_bytes=GIB)
    physics = HostPhysics(
        total_bytes=2 * GIB, other_bytes=other_mib * MIB, swap_bytes=4 * GIB, swap_sticks=True
    )
    specs = [GuestSpec(name=name, build=build, load=load) for name in ("a", "b")]
    world = World(specs, host=physics)
    for guest in world.guests.values():
        guest.faults.has_driver = has_driver
    world.advance(20)
    return world


def play(
    world: World,
    ladder: LadderParams,
    *rules: LimitRule,
    seconds: int = 60,
    after_60_s: Callable[[], None] | None = None,
) -> Played:
    played = Played()

    async def run() -> None:
        techniques = SimulatedTechniques(world)
        loop = Loop(
            driver=SimulatedDriver(world),
            sensor=SimulatedSensor(world.host),
            clock=SimClock(asyncio.get_running_loop()),
            params=EngineParams(
                host=HostParams(
                    accounting=Accounting.ELASTIC, reserve=Amount(size_bytes=400 * MIB)
                ),
                ladder=ladder,
                rules=rules,
            ),
            mode=Mode.ENFORCE,
            journal=played,
            techniques=techniques,
        )
        async with asyncio.TaskGroup() as tasks:
            living = tasks.create_task(world.run())
            balancing = tasks.create_task(loop.run())
            await asyncio.sleep(60)
            if after_60_s is not None:
                after_60_s()
            await asyncio.sleep(seconds - 60)
            loop.request_stop()
            await balancing
            living.cancel()
        assert loop.board.status.failures == 0
        played.on = techniques.on

    run_simulated(run())
    return played


def test_guests_without_a_driver_leave_a_host_short_unless_it_may_take_itself() -> None:
    without = play(crowded(has_driver=False), LadderParams())
    assert without.acts() == []
    assert without.available_bytes() < 300 * MIB
    played = play(crowded(has_driver=False), LADDER)
    assert played.available_bytes() >= 380 * MIB
    assert played.taken_bytes("a") > 0
    assert played.records[-1].trace.host.state is not HostState.CRITICAL


def test_balloons_come_first() -> None:
    """Idle guests with a driver give what the host lacks: it takes hardly anything itself."""
    world = crowded(has_driver=True)
    for guest in world.guests.values():
        guest.set_load(Load(hot_bytes=60 * MIB, mode=HeapMode.RELEASE))
    played = play(world, LADDER)
    assert played.available_bytes() >= 380 * MIB
    by_balloon = sum(GIB - (g.actual_bytes or GIB) for g in played.records[-1].snapshot.guests)
    by_host = played.taken_bytes("a") + played.taken_bytes("b")
    assert by_balloon > 2 * by_host


def test_who_is_exempt_is_taken_from_by_nobody() -> None:
    exempt = frozenset({LadderStep.COMPRESS, LadderStep.SWAP})
    rule = LimitRule(name_glob="a", limits=GuestLimits(exempt=exempt))
    played = play(crowded(has_driver=False), LADDER, rule)
    assert played.taken_bytes("a") == 0
    assert played.taken_bytes("b") > 0


def test_a_comfortable_host_uses_none_of_it() -> None:
    played = play(crowded(has_driver=False, other_mib=-600), LADDER)
    assert played.states() == {HostState.COMFORTABLE}
    assert played.acts() == []


def test_a_working_guest_gets_on_with_its_memory_in_swap() -> None:
    """What it works on it reads back, and is then left alone."""
    world = crowded(has_driver=False, requests_per_s=2000)
    played = play(world, LADDER, seconds=90)
    takes = [e for e in played.acts() if e.act is TechniqueAct.TOOK]
    assert takes
    assert max(t.pause_s for t in played.records[-1].state.ladder.tried) >= 30  # type: ignore[union-attr] # decided by the engine


def test_techniques_are_put_back_when_the_shortage_is_over() -> None:
    world = crowded(has_driver=False)

    def over() -> None:
        world.host.other_bytes = -2.0 * GIB

    played = play(world, LADDER, seconds=120, after_60_s=over)
    switched = [(e.step, e.act) for e in played.acts() if not e.guest]
    for step in (LadderStep.MERGE, LadderStep.COMPRESS, LadderStep.SWAP):
        assert [act for s, act in switched if s is step] == [
            TechniqueAct.SWITCHED_ON,
            TechniqueAct.PUT_BACK,
        ]
    assert played.on == []
