"""The daemon's own loop and engine run on simulated guests, on virtual time."""

import asyncio
from dataclasses import dataclass, field

from aerostat.control.loop import Loop
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.modes import Mode
from aerostat.policy.params import PolicyName
from aerostat.ports.journal import RoundRecord
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import HeapMode, Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.seconds import WorkloadSecond
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from sim.worlds import served_ratio

BUDGET_BYTES = 900 * MIB
NAMES = ("g0", "g1", "g2")


@dataclass
class Rounds:
    """A journal that keeps everything."""

    records: list[RoundRecord] = field(default_factory=list)

    def record(self, record: RoundRecord) -> None:
        self.records.append(record)


@dataclass
class Result:
    seconds: list[WorkloadSecond] = field(default_factory=list)
    held_bytes: list[int] = field(default_factory=list)
    rounds: Rounds = field(default_factory=Rounds)
    failures: int = 0

    def served_ratio(self) -> float:
        return served_ratio(tuple(self.seconds))


async def play(policy: PolicyName, mode: HeapMode, *, is_guarded: bool) -> Result:
    load = Load(hot_bytes=80 * MIB, mode=mode, heap_bytes=350 * MIB)
    world = World([GuestSpec(name=name, load=load) for name in NAMES])
    result = Result()
    params = EngineParams(
        policy=policy, host=HostParams(budget_bytes=BUDGET_BYTES), is_guarded=is_guarded
    )
    loop = Loop(
        driver=SimulatedDriver(world),
        sensor=SimulatedSensor(world.host),
        clock=SimClock(asyncio.get_running_loop()),
        params=params,
        mode=Mode.ENFORCE,
        journal=result.rounds,
    )
    async with asyncio.TaskGroup() as tasks:
        living = tasks.create_task(world.run())
        balancing = tasks.create_task(loop.run())
        await asyncio.sleep(30)
        for guest in world.guests.values():
            guest.take_seconds()
        for big in NAMES:
            for name in NAMES:
                world.guest(name).set_hot((350 if name == big else 80) * MIB)
            for _ in range(100):
                await asyncio.sleep(0.25)
                result.held_bytes.append(sum(g.actual_bytes for g in world.guests.values()))
            for guest in world.guests.values():
                result.seconds += guest.take_seconds()
        loop.request_stop()
        await balancing
        living.cancel()
    result.failures = loop.board.status.failures
    return result


def test_the_loop_beats_an_even_split_on_the_same_budget() -> None:
    """Both arms must stay in the budget: one that holds more memory has won nothing."""
    managed = run_simulated(play(PolicyName.ADAPTIVE, HeapMode.RELEASE, is_guarded=True))
    even = run_simulated(play(PolicyName.STATIC, HeapMode.RELEASE, is_guarded=False))
    assert managed.failures == even.failures == 0
    for result in (managed, even):
        assert max(result.held_bytes) <= BUDGET_BYTES
    assert managed.served_ratio() > even.served_ratio() + 0.05


def test_the_loop_decides_the_same_twice() -> None:
    """Virtual time, one seed: every round of the journal is equal, to the last bit."""
    first, second = (
        run_simulated(play(PolicyName.ADAPTIVE, HeapMode.RELEASE, is_guarded=True))
        for _ in range(2)
    )
    assert len(first.rounds.records) > 50
    assert first.rounds.records == second.rounds.records
