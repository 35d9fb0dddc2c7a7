"""Events wait here for the next round; an urgent one wakes the loop early."""

import asyncio
from collections import deque

from aerostat.model.events import (
    BalloonMoved,
    Event,
    LifecycleChanged,
    LifecycleKind,
    Outcome,
    TargetAnswered,
    TargetReplaced,
    TechniqueUsed,
)
from aerostat.model.guest import GuestId

CAPACITY = 10_000
"""More events than this between two rounds are a storm: the oldest are dropped and counted."""

_URGENT = frozenset({LifecycleKind.RESET, LifecycleKind.APPEARED, LifecycleKind.SHUTDOWN_ASKED})
_ANOTHER_KERNEL = frozenset({LifecycleKind.RESET, LifecycleKind.DISAPPEARED})


class Inbox:
    """A bounded queue that any driver may put into at any time."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=CAPACITY)
        self._wake = asyncio.Event()
        self._awaited: dict[GuestId, int] = {}  # the target that a guest is on its way to
        self.dropped = 0

    def put(self, event: Event) -> None:
        """Take an event; never blocks."""
        if len(self._events) == CAPACITY:
            self.dropped += 1
        self._events.append(event)
        self._note_target(event)
        if self._is_urgent(event):
            self._wake.set()

    def put_back(self, events: tuple[Event, ...]) -> None:
        """Keep events that were drained and not used, before those that have come since.

        Wakes nobody: what could not be used just now is tried again in the next round's time.
        """
        room = CAPACITY - len(self._events)
        kept = events[max(0, len(events) - room) :]
        self.dropped += len(events) - len(kept)
        self._events.extendleft(reversed(kept))

    def wake(self) -> None:
        """Start the next round now."""
        self._wake.set()

    def drain(self) -> tuple[Event, ...]:
        """Take all waiting events, oldest first."""
        events = tuple(self._events)
        self._events.clear()
        self._wake.clear()
        return events

    def waiting(self) -> tuple[Event, ...]:
        """Look at the waiting events, oldest first; they stay."""
        return tuple(self._events)

    async def wait(self, timeout_s: float) -> None:
        """Sleep until the time is up or something urgent comes."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        # Also where the round now starting fails before it drains: a call wakes once.
        self._wake.clear()

    def _is_urgent(self, event: Event) -> bool:
        # Only what changes the next decision: an ordinary accepted command is no news.
        if isinstance(event, LifecycleChanged):
            return event.kind in _URGENT
        if isinstance(event, BalloonMoved):
            return not self._is_being_given(event)
        return not isinstance(event, TargetAnswered | TargetReplaced | TechniqueUsed)

    def _is_being_given(self, moved: BalloonMoved) -> bool:
        """Whether the guest is on its way up to what it was sent.

        Asking its hypervisor meanwhile takes time from the very thing that moves its memory. A
        guest that grows beyond what it was sent is in distress, and one that comes down frees
        memory that somebody may wait for: both are news.
        """
        return moved.actual_bytes < self._awaited.get(moved.guest, 0)

    def _note_target(self, event: Event) -> None:
        match event:
            case TargetAnswered(outcome=Outcome.ACCEPTED):
                self._awaited[event.guest] = event.target_bytes
            case TargetAnswered() | TargetReplaced():
                self._awaited.pop(event.guest, None)
            case LifecycleChanged(kind=kind) if kind in _ANOTHER_KERNEL:
                self._awaited.pop(event.guest, None)
            case BalloonMoved() if not self._is_being_given(event):
                self._awaited.pop(event.guest, None)  # it is there: from now on every move is news
            case _:
                pass
