"""The events stream: a line for every round, and one for everything that happens, as it happens."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from aerostat.control.board import Status
from aerostat.model.events import BalloonMoved, Event, Outcome, TargetAnswered
from aerostat.model.guest import GuestId
from aerostat.ports.journal import RoundRecord
from aerostat.store import Happening, Move
from aerostat.story.happenings import line_of_event, line_of_move
from aerostat.story.remembered import Freshness

KEPT = 1000
"""So many rounds in which something happened wait for clients that come back."""

CLIENTS_MAX = 32
"""More streams than this are refused: each costs a connection."""

PACE_S = 0.5
"""A client is told of rounds no oftener than this."""

BEAT_S = 15.0
"""A comment goes out at least this often, so that a dead connection is noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """Only what happened: a whole round of 200 VMs takes half a megabyte."""

    number: int  # of the stream, rising by one
    wall_s: float
    happened: tuple[Happening | Move, ...]
    moved: Mapping[GuestId, Move]


class Stream:
    """Takes statuses in the loop's thread, and serves clients in the server's."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque(maxlen=KEPT)
        self._number = 0
        self._round: RoundRecord | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: set[asyncio.Event] = set()

    @property
    def is_full(self) -> bool:
        """Whether no further client is taken."""
        return len(self._woken) >= CLIENTS_MAX

    def serve_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """Clients are served by this loop from now on."""
        self._loop = loop

    def follow(self, status: Status) -> None:
        """Take a new status; neither blocks nor raises."""
        record = status.last
        if record is None or record is self._round:
            return
        self._round = record
        if happened := _happened_in(record):
            self._number += 1
            wall_s = record.snapshot.wall_s
            moved = {one.trace.guest: one for one in happened if isinstance(one, Move)}
            self._kept.append(
                _Kept(number=self._number, wall_s=wall_s, happened=happened, moved=moved)
            )
        if self._loop is not None and self._woken:
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:
                self._loop = None  # the server has ended

    def happened_since(self, wall_s: float) -> list[Happening | Move]:
        """What is kept of what happened after then, oldest first; from any thread."""
        # A copy first: the loop's thread goes on adding.
        return [one for kept in list(self._kept) if kept.wall_s >= wall_s for one in kept.happened]

    def moves_since(self, wall_s: float, guest: GuestId) -> list[Move]:
        """The same of one guest's targets alone."""
        kept = [one for one in list(self._kept) if one.wall_s >= wall_s]
        return [one.moved[guest] for one in kept if guest in one.moved]

    def _wake(self) -> None:
        for woken in self._woken:
            woken.set()

    async def messages(self, *, after: int | None) -> AsyncIterator[str]:
        """Server-sent events: ``round`` and ``happened``; ``after``: the last one a client has."""
        woken = asyncio.Event()
        self._woken.add(woken)
        seen = self._number if after is None else min(after, self._number)
        try:
            yield "retry: 2000\n\n"
            while True:
                if self._round is not None:
                    yield _message("round", _round_document(self._round))
                for kept in [k for k in list(self._kept) if k.number > seen]:
                    seen = kept.number
                    now = Freshness(now_wall_s=kept.wall_s, written_wall_s=kept.wall_s)
                    for one in kept.happened:
                        line = line_of_move(one) if isinstance(one, Move) else line_of_event(one)
                        yield _message("happened", line.document(now), number=kept.number)
                await asyncio.sleep(PACE_S)
                try:
                    async with asyncio.timeout(BEAT_S):
                        await woken.wait()
                except TimeoutError:
                    yield ": still here\n\n"
                woken.clear()
        finally:
            self._woken.discard(woken)


def _round_document(record: RoundRecord) -> dict[str, object]:
    return {"number": record.number, "wall_s": round(record.snapshot.wall_s, 3)}


def _happened_in(record: RoundRecord) -> tuple[Happening | Move, ...]:
    """What happened in a round, without what is routine."""
    wall_s = record.snapshot.wall_s
    told = [event for event in record.events if not _is_routine(event)]
    if not told and not record.plan.changes:
        return ()
    traces = {trace.guest: trace for trace in record.trace.guests}
    names = {guest: trace.name for guest, trace in traces.items()}
    happenings = (
        Happening(wall_s=wall_s, name=names.get(event.guest, event.guest), event=event)
        for event in told
    )
    changed = (traces[c.guest] for c in record.plan.changes if c.guest in traces)
    moves = (
        Move(wall_s=wall_s, was_enforced=record.was_enforced, is_change=True, trace=trace)
        for trace in changed
    )
    return (*happenings, *moves)


def _is_routine(event: Event) -> bool:
    is_accepted = isinstance(event, TargetAnswered) and event.outcome is Outcome.ACCEPTED
    return is_accepted or isinstance(event, BalloonMoved)


def _message(kind: str, document: object, *, number: int | None = None) -> str:
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {kind}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n"
