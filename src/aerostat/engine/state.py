"""What the engine remembers between rounds, and how events change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aerostat.engine.columns import NEVER_S, Memory, empty_memory
from aerostat.engine.effect import SelfCheck
from aerostat.engine.host_signs import HostWaits
from aerostat.engine.ladder_state import LadderState, with_answers
from aerostat.engine.peer import PeerState
from aerostat.model.events import (
    Event,
    LifecycleChanged,
    LifecycleKind,
    MemoryReserved,
    Outcome,
    PressurePushed,
    PressureTrigger,
    TargetAnswered,
)
from aerostat.model.guest import GuestId
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState
from aerostat.policy.columns import ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Memory promised to a VM that is not here yet, or has not touched it yet."""

    owner: GuestId  # or its name: whoever asks for it may know no more
    size_bytes: int
    until_s: float
    is_here: bool = False  # it has come: what it holds is counted, and what it will touch


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """Guests in order, and one entry of every column for each; never changed in place."""

    guests: tuple[GuestId, ...] = ()
    memory: Memory = field(default_factory=lambda: empty_memory(0))
    has_run: bool = False  # False: guests of the first round were there before us
    host_state: HostState = HostState.COMFORTABLE
    reservations: tuple[Reservation, ...] = ()
    self_check: SelfCheck = SelfCheck()
    host_waits: HostWaits = HostWaits()
    ladder: LadderState = LadderState()
    peer: PeerState | None = None  # of a baseline policy, where one is in force

    @property
    def reserved_bytes(self) -> int:
        """What is promised in all to those that are not here yet."""
        return sum(r.size_bytes for r in self.reservations if not r.is_here)

    @property
    def promised_bytes(self) -> Mapping[GuestId, int]:
        """What was promised to those that are here, until its time is over."""
        return {r.owner: r.size_bytes for r in self.reservations if r.is_here}


ADOPTED_S = 7.0
"""Guests that were there before us are taken to have run for so long: most of a boot's grace."""


def aligned(state: EngineState, guests: tuple[GuestId, ...], *, now_s: float) -> EngineState:
    """Return a copy whose rows are ``guests``: those who left are dropped, new ones begin here."""
    if guests == state.guests:  # as in nearly every round: whole columns, not row by row
        same = Memory(*(list(column) for column in state.memory))
        return replace(state, memory=same, has_run=True)
    row = {guest: number for number, guest in enumerate(state.guests)}
    memory = empty_memory(len(guests))
    for i, guest in enumerate(guests):
        if guest in row:
            for old, new in zip(state.memory, memory, strict=True):
                new[i] = old[row[guest]]
        else:
            memory.since_s[i] = now_s - (0.0 if state.has_run else ADOPTED_S)
    return replace(state, guests=guests, memory=memory, has_run=True)


def with_events(state: EngineState, events: Sequence[Event], *, now_s: float) -> EngineState:
    """Fold what happened since the last round into a freshly aligned state."""
    if not events and not state.reservations and not state.ladder.pending:
        return state  # as in most rounds
    row = {guest: number for number, guest in enumerate(state.guests)}
    reservations = {r.owner: r for r in state.reservations}
    for event in events:
        if isinstance(event, MemoryReserved):
            reservations[event.guest] = Reservation(
                owner=event.guest, size_bytes=event.size_bytes, until_s=now_s + event.for_s
            )
            continue
        i = row.get(event.guest)
        if i is None:
            continue
        if isinstance(event, TargetAnswered):
            _answered(state.memory, i, event, now_s=now_s)
        elif isinstance(event, LifecycleChanged):
            _lifecycle(state.memory, i, event.kind, now_s=now_s)
        elif isinstance(event, PressurePushed):
            _pushed(state.memory, i, event, now_s=now_s)
    standing = (r for r in reservations.values() if r.until_s > now_s and r.size_bytes > 0)
    return replace(
        state,
        reservations=tuple(sorted(standing, key=lambda r: r.owner)),
        ladder=with_answers(state.ladder, events, now_s=now_s),
    )


def with_arrivals(state: EngineState, snapshot: HostSnapshot) -> EngineState:
    """Promises to guests that are here stand by their ids; one that has gone again has none."""
    if not state.reservations:
        return state
    ids = {guest.name: guest.guest for guest in snapshot.guests}
    ids.update((guest.guest, guest.guest) for guest in snapshot.guests)
    promises: dict[GuestId, Reservation] = {}
    for promise in state.reservations:
        guest = ids.get(promise.owner)
        if guest is not None:
            promises[guest] = replace(promise, owner=guest, is_here=True)
        elif not promise.is_here:
            promises[promise.owner] = promise
    ordered = tuple(promises[owner] for owner in sorted(promises))
    return replace(state, reservations=ordered)


def _answered(memory: Memory, i: int, event: TargetAnswered, *, now_s: float) -> None:
    """A target counts once the hypervisor has, or may have, taken it; a refused one never did."""
    if event.outcome is Outcome.REFUSED:
        return
    memory.is_outcome_unknown[i] = 1 if event.outcome is Outcome.UNKNOWN else 0
    before = memory.target_bytes[i] if memory.target_bytes[i] != ABSENT else memory.actual_bytes[i]
    # What does not go below what it holds takes nothing: a gift on its way was called back.
    if event.target_bytes < min(before, memory.actual_bytes[i]):
        memory.take_s[i] = now_s
    memory.target_bytes[i] = event.target_bytes
    memory.target_set_s[i] = now_s
    memory.progress_s[i] = now_s
    memory.has_arrived[i] = 0


def _pushed(memory: Memory, i: int, event: PressurePushed, *, now_s: float) -> None:
    # Of several that one round hears of, the worst stands.
    was_full = memory.pushed_s[i] == now_s and memory.pushed_is_full[i] == 1
    memory.pushed_s[i] = now_s
    memory.pushed_is_full[i] = 1 if was_full or event.trigger is PressureTrigger.FULL else 0
    memory.pushed_free_bytes[i] = ABSENT if event.free_bytes is None else event.free_bytes
    memory.pushed_held_bytes[i] = memory.actual_bytes[i]


def _lifecycle(memory: Memory, i: int, kind: LifecycleKind, *, now_s: float) -> None:
    if kind is LifecycleKind.RESUMED:
        memory.since_s[i] = now_s
        memory.progress_s[i] = now_s
    elif kind is LifecycleKind.RESET:
        # A fresh kernel: whatever was learned is void, and it will inflate to the old target.
        fresh = empty_memory(1)
        kept_target = memory.target_bytes[i]
        for blank, column in zip(fresh, memory, strict=True):
            column[i] = blank[0]
        memory.target_bytes[i] = kept_target
        memory.target_set_s[i] = now_s
        memory.since_s[i] = now_s
        memory.is_release_due[i] = 1
    elif kind is LifecycleKind.SHUTDOWN_ASKED:
        memory.shutdown_asked_s[i] = now_s
    elif kind in (LifecycleKind.SHUTDOWN, LifecycleKind.CRASHED):
        memory.clean_s[i] = NEVER_S
