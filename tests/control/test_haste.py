"""Who waits for memory is served by what was read a moment ago: nobody is asked first."""

import asyncio
from dataclasses import replace

import pytest

from aerostat.model.events import (
    BalloonMoved,
    Event,
    LifecycleChanged,
    LifecycleKind,
    PressurePushed,
    PressureTrigger,
)
from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.ports.journal import RoundRecord
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB
from control.rig import NAMES, TIGHT, Rig, balancing, new_rig

SLOW_S = 0.3
PUSH = PressurePushed(
    guest=GuestId("g0"), trigger=PressureTrigger.FULL, free_bytes=2 * MIB, is_first=True
)


def slow_to_answer(rig: Rig) -> None:
    """From now on every reading takes its time."""
    read = rig.driver.read_guest

    async def late(guest: GuestId) -> GuestSnapshot:
        await asyncio.sleep(SLOW_S)
        return await read(guest)

    rig.driver.read_guest = late  # type: ignore[method-assign]


def ages_s(record: RoundRecord) -> list[float]:
    return [g.statistics.age_s for g in record.snapshot.guests if g.statistics is not None]


def test_a_push_is_answered_before_anybody_is_asked() -> None:
    async def play() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            await asyncio.sleep(3.0)
            slow_to_answer(rig)
            rounds = len(rig.rounds.records)
            await rig.until(lambda: len(rig.rounds.records) > rounds)
            await asyncio.sleep(0.1)  # between two rounds
            began_s, reads, sent = asyncio.get_running_loop().time(), rig.driver.reads, rig.sent[:]
            before = rig.rounds.records[-1]
            rig.loop._inbox.put(PUSH)
            await rig.until(lambda: len(rig.sent) > len(sent))
            (first, *_) = rig.sent[len(sent) :]
            assert (first.guest, first.at_s) == ("g0", began_s)
            assert rig.driver.reads == reads
            answered = next(r for r in rig.rounds.records if PUSH in r.events)
            later_s = answered.snapshot.now_s - before.snapshot.now_s
            assert later_s > 0
            for age_s, age_before_s in zip(ages_s(answered), ages_s(before), strict=True):
                assert abs(age_s - age_before_s - later_s) < 1e-6, "its figures are that much older"
            measured = [g.footprint.age_s for g in answered.snapshot.guests if g.footprint]
            assert measured == [0.0, later_s, later_s], "who pushes is measured anew by the host"

    run_simulated(play())


def test_one_that_pushes_all_the_time_does_not_keep_others_from_being_read() -> None:
    async def play() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            reads, rounds = rig.driver.reads, len(rig.rounds.records)
            for _ in range(100):
                rig.loop._inbox.put(replace(PUSH, is_first=False))
                await asyncio.sleep(0.1)
            rounds = len(rig.rounds.records) - rounds
            assert rounds > 60
            assert rig.driver.reads - reads >= len(NAMES) * (rounds // 2 - 1)

    run_simulated(play())


def test_what_was_read_long_ago_is_read_again_first() -> None:
    async def play() -> None:
        rig = new_rig(params=replace(TIGHT, round_s=5.0, round_moving_s=5.0))
        async with balancing(rig):
            await rig.until(lambda: len(rig.rounds.records) > 3)
            await asyncio.sleep(2.0)
            reads = rig.driver.reads
            rig.loop._inbox.put(PUSH)
            await rig.until(lambda: PUSH in rig.rounds.records[-1].events)
            assert rig.driver.reads == reads + len(NAMES)

    run_simulated(play())


@pytest.mark.parametrize(
    "event",
    [
        LifecycleChanged(guest=GuestId("g2"), kind=LifecycleKind.RESET),
        BalloonMoved(guest=GuestId("g2"), actual_bytes=500 * MIB),
    ],
)
def test_a_vm_of_which_something_else_is_heard_is_asked(event: Event) -> None:
    async def play() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            await asyncio.sleep(3.0)
            reads = rig.driver.reads
            rig.loop._inbox.put(PUSH)
            rig.loop._inbox.put(event)
            await rig.until(lambda: PUSH in rig.rounds.records[-1].events)
            assert rig.driver.reads == reads + 1

    run_simulated(play())


def test_a_vm_that_has_just_come_is_asked() -> None:
    async def play() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            collector = rig.loop._collector
            collector._drop(GuestId("g2"))  # as if it had not been there
            reads = rig.driver.reads
            rig.loop._inbox.put(PUSH)
            await rig.until(lambda: PUSH in rig.rounds.records[-1].events)
            assert rig.driver.reads == reads + 1
            assert len(rig.rounds.records[-1].snapshot.guests) == len(NAMES)

    run_simulated(play())
