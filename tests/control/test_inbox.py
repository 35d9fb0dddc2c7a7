"""The inbox is bounded, keeps order, and wakes the loop once for what is urgent."""

import asyncio

from aerostat.control.inbox import CAPACITY, Inbox
from aerostat.model.events import (
    BalloonMoved,
    Event,
    LifecycleChanged,
    LifecycleKind,
    Outcome,
    PressurePushed,
    PressureTrigger,
    TargetAnswered,
    TargetReplaced,
)
from aerostat.model.guest import GuestId
from aerostat.sim.virtual_time import run_simulated

VM = GuestId("vm")
RESET = LifecycleChanged(guest=VM, kind=LifecycleKind.RESET)
ACCEPTED = TargetAnswered(guest=VM, target_bytes=1, outcome=Outcome.ACCEPTED)

PUSHED = PressurePushed(guest=VM, trigger=PressureTrigger.SOME, free_bytes=None, is_first=False)


def moved(number: int) -> BalloonMoved:
    return BalloonMoved(guest=VM, actual_bytes=number)


def waited_s(*events: Event, drained: bool = False) -> float:
    async def main() -> float:
        inbox = Inbox()
        for event in events:
            inbox.put(event)
        if drained:
            inbox.put_back(inbox.drain())
        await inbox.wait(5)
        return asyncio.get_running_loop().time()

    return run_simulated(main())


def test_urgent_events_wake_the_loop_and_others_wait_for_its_time() -> None:
    assert waited_s(RESET) == 0
    assert waited_s(moved(1)) == 0
    assert waited_s(PUSHED) == 0
    assert waited_s(ACCEPTED) == 5
    assert waited_s(LifecycleChanged(guest=VM, kind=LifecycleKind.PAUSED)) == 5


def test_a_balloon_on_its_way_up_to_what_was_sent_waits_for_the_loops_time() -> None:
    sent = TargetAnswered(guest=VM, target_bytes=500, outcome=Outcome.ACCEPTED)
    assert waited_s(sent, moved(499)) == 5
    assert waited_s(sent, moved(500)) == 0, "it is there, or goes on without being told"
    assert waited_s(sent, moved(501)) == 0
    assert waited_s(sent, ACCEPTED, moved(499)) == 0, "on its way down: somebody may wait for it"


def waited_after_s(*before: Event, event: Event) -> float:
    """As ``waited_s`` for one event, where a round has heard of those before."""

    async def main() -> float:
        inbox = Inbox()
        for one in before:
            inbox.put(one)
        inbox.drain()
        inbox.put(event)
        await inbox.wait(5)
        return asyncio.get_running_loop().time()

    return run_simulated(main())


def test_once_it_is_there_every_move_is_news() -> None:
    sent = TargetAnswered(guest=VM, target_bytes=500, outcome=Outcome.ACCEPTED)
    assert waited_after_s(sent, moved(400), event=moved(499)) == 5
    assert waited_after_s(sent, moved(500), event=moved(499)) == 0, "somebody takes from it"


def test_a_balloon_that_somebody_else_or_another_kernel_moves_is_news() -> None:
    sent = TargetAnswered(guest=VM, target_bytes=500, outcome=Outcome.ACCEPTED)
    replaced = TargetReplaced(guest=VM, held_bytes=500, actual_bytes=400, for_s=300.0)
    assert waited_after_s(sent, replaced, event=moved(450)) == 0
    assert waited_after_s(sent, RESET, event=moved(450)) == 0


def test_a_balloon_moves_by_itself_where_no_target_is_known_to_stand() -> None:
    sent = TargetAnswered(guest=VM, target_bytes=500, outcome=Outcome.ACCEPTED)
    for outcome in (Outcome.UNKNOWN, Outcome.REFUSED):
        lost = TargetAnswered(guest=VM, target_bytes=500, outcome=outcome)
        assert waited_s(sent, lost, moved(499)) == 0
    gone = LifecycleChanged(guest=VM, kind=LifecycleKind.DISAPPEARED)
    assert waited_s(sent, gone, moved(499)) == 0
    other = BalloonMoved(guest=GuestId("other"), actual_bytes=499)
    assert waited_s(sent, other) == 0


def test_events_that_were_put_back_wake_nobody() -> None:
    assert waited_s(RESET, drained=True) == 5


def test_one_call_wakes_once() -> None:
    async def main() -> float:
        inbox = Inbox()
        inbox.wake()
        await inbox.wait(5)
        await inbox.wait(5)
        return asyncio.get_running_loop().time()

    assert run_simulated(main()) == 5


def test_a_storm_loses_the_oldest_and_counts_them() -> None:
    inbox = Inbox()
    for number in range(CAPACITY + 3):
        inbox.put(moved(number))
    assert inbox.dropped == 3
    events = inbox.drain()
    assert (events[0], events[-1], len(events)) == (moved(3), moved(CAPACITY + 2), CAPACITY)


def test_what_is_put_back_comes_before_what_has_come_since() -> None:
    inbox = Inbox()
    inbox.put(moved(1))
    inbox.put(moved(2))
    events = inbox.drain()
    inbox.put(moved(3))
    inbox.put_back(events)
    assert inbox.waiting() == (moved(1), moved(2), moved(3))
    assert inbox.drain() == (moved(1), moved(2), moved(3))
    assert inbox.drain() == ()
    assert inbox.dropped == 0


def test_what_is_kept_over_failed_rounds_is_bounded_and_the_newest_stays() -> None:
    inbox = Inbox()
    for number in range(CAPACITY):
        inbox.put(moved(number))
    for late in range(2):  # two failed rounds, an event in each
        events = inbox.drain()
        inbox.put(moved(CAPACITY + late))
        inbox.put_back(events)
    assert inbox.dropped == 2
    kept = inbox.drain()
    assert (kept[0], kept[-1], len(kept)) == (moved(2), moved(CAPACITY + 1), CAPACITY)


def test_putting_nothing_back_into_a_full_inbox_keeps_it_as_it_is() -> None:
    inbox = Inbox()
    for number in range(CAPACITY):
        inbox.put(moved(number))
    inbox.put_back((RESET,))
    assert inbox.dropped == 1
    assert len(inbox.drain()) == CAPACITY
