"""A guest that hangs costs the others one deadline, once."""

import asyncio
from itertools import pairwise

from aerostat.control.apply import SEND_DEADLINE_S
from aerostat.control.collect import READ_DEADLINE_S
from aerostat.model.guest import GuestId, RunState
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB
from control.rig import TIGHT, Rig, balancing, new_rig


async def seconds_to_grow(rig: Rig) -> float:
    """How long until a guest whose hot set jumps has been given what it needs."""
    rig.world.guest("g1").set_hot(250 * MIB)
    return await rig.until(lambda: rig.world.guest("g1").target_bytes >= 320 * MIB)


def time_to_grow_s(fault: str) -> float:
    async def main() -> float:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            setattr(rig.world.guest("g0").faults, fault, True)
            await asyncio.sleep(10)
            return await seconds_to_grow(rig)

    return run_simulated(main())


def test_a_hung_guest_does_not_delay_another_ones_memory() -> None:
    """Beside one that is as useless, but says so at once: the only difference is the waiting."""
    beside_unreachable_s = time_to_grow_s("is_unavailable")
    beside_hung_s = time_to_grow_s("is_hung")
    assert beside_hung_s <= beside_unreachable_s + READ_DEADLINE_S + TIGHT.round_s


def test_a_hung_guest_costs_one_round_its_deadline_and_no_further_ones() -> None:
    async def main() -> list[float]:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            await asyncio.sleep(5)
            rig.world.guest("g0").faults.is_hung = True
            before = len(rig.statuses)
            await asyncio.sleep(30)
            return [s.round_s for s in rig.statuses[before:] if s.round_s is not None]

    slow = [took_s for took_s in run_simulated(main()) if took_s > 0.01]
    # Two statuses a round: the next round's first one still shows the slow one's length.
    assert 1 <= len(slow) <= 2
    assert max(slow) <= READ_DEADLINE_S + SEND_DEADLINE_S + 0.01


def test_a_hung_guest_is_shown_as_such_and_picked_up_when_it_answers() -> None:
    async def main() -> None:
        async with balancing(new_rig()) as rig:

            def state() -> RunState:
                snapshot = rig.rounds.records[-1].snapshot
                return next(g.run_state for g in snapshot.guests if g.guest == GuestId("g0"))

            await rig.until_squeezed()
            hung = rig.world.guest("g0")
            hung.faults.is_hung = True
            await rig.until(lambda: state() is RunState.UNREACHABLE, deadline_s=3)
            sent_before = len(rig.sent)
            await asyncio.sleep(20)
            assert state() is RunState.UNREACHABLE
            # What was under way when it was found out may be the last.
            assert len([c for c in rig.sent[sent_before:] if c.guest == "g0"]) <= 1
            hung.faults.is_hung = False
            await rig.until(lambda: state() is RunState.RUNNING, deadline_s=4)

    run_simulated(main())


def test_a_guest_that_hangs_with_a_command_under_way_delays_no_later_round() -> None:
    async def main() -> list[float]:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            await asyncio.sleep(5)
            rig.world.guest("g1").faults.loses_replies = True
            await seconds_to_grow(rig)
            before = len(rig.rounds.records)
            await rig.until(lambda: len(rig.rounds.records) > before + 5)
            return [record.trace.now_s for record in rig.rounds.records[before:]]

    gaps = [later - earlier for earlier, later in pairwise(run_simulated(main()))]
    assert max(gaps) <= TIGHT.round_s + SEND_DEADLINE_S + 0.1
