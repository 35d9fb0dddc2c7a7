"""What of a round is worth keeping: everything that is new, and a sample now and then.

Several rounds a second in which nothing changes would fill a disk and tell nobody anything.
"""

from dataclasses import dataclass, replace

from aerostat.engine.believe import ARRIVED_BYTES
from aerostat.model.effect import Effect
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Bound, Reason
from aerostat.ports.journal import RoundRecord

SAMPLE_S = 10.0
"""While nothing changes, a guest is kept once in so long."""

ADVICE_SAME_RATIO = 0.05
"""Where nothing is carried out, every round advises again: targets this close are the same."""

# Passing states: guests are in and out of them within seconds, and they change nothing.
PASSING = frozenset({Reason.HOLD_COOLDOWN, Reason.HOLD_WITHIN_DEAD_BAND, Reason.HOLD_HAS_ENOUGH})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    """What must be the same for a guest's round to be no news."""

    name: str
    reason: Reason | None  # None: a passing one
    bound: Bound | None
    target_bytes: int | None
    has_arrived: bool
    is_distressed: bool
    is_stalled: bool
    run_state: RunState
    has_trouble: bool
    is_doubted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    face: _Face
    at_s: float


class Thinning:
    """Remembers what was kept last of each guest."""

    def __init__(self) -> None:
        self._kept: dict[GuestId, _Kept] = {}
        self._round_s: float | None = None
        self._host: tuple[HostState, Effect] | None = None

    def thinned(self, record: RoundRecord) -> RoundRecord | None:
        """The part of a round that is to be kept, if any; ``accept`` it once it has been."""
        named = {event.guest for event in record.events}
        changed = {change.guest for change in record.plan.changes} if record.was_enforced else set()
        asked = named | changed
        keep = frozenset(
            trace.guest
            for guest, trace in _pairs(record)
            if trace.guest in asked or self._is_new(guest, trace, record)
        )
        host = record.trace.host
        is_same_host = (host.state, host.effect) == self._host
        if not (keep or record.events) and is_same_host and not self._is_due(self._round_s, record):
            return None
        return _only(record, keep)

    def accept(self, kept: RoundRecord) -> None:
        """This has been written: from now on it is old."""
        self._round_s = kept.trace.now_s
        self._host = (kept.trace.host.state, kept.trace.host.effect)
        for guest, trace in _pairs(kept):
            self._kept[trace.guest] = _Kept(face=_face(guest, trace), at_s=kept.trace.now_s)

    def forget_the_gone(self, record: RoundRecord) -> None:
        """A guest that is not there any more is new when it comes again."""
        present = {guest.guest for guest in record.snapshot.guests}
        for gone in [guest for guest in self._kept if guest not in present]:
            del self._kept[gone]

    def _is_new(self, guest: GuestSnapshot, trace: GuestTrace, record: RoundRecord) -> bool:
        kept = self._kept.get(trace.guest)
        if kept is None or self._is_due(kept.at_s, record):
            return True
        face = _face(guest, trace)
        if not record.was_enforced and _is_same_advice(kept.face, face):
            face = replace(face, target_bytes=kept.face.target_bytes, bound=kept.face.bound)
        return face != kept.face

    def _is_due(self, kept_s: float | None, record: RoundRecord) -> bool:
        return kept_s is None or not 0 <= record.trace.now_s - kept_s < SAMPLE_S


def _pairs(record: RoundRecord) -> list[tuple[GuestSnapshot, GuestTrace]]:
    return list(zip(record.snapshot.guests, record.trace.guests, strict=True))


def _face(guest: GuestSnapshot, trace: GuestTrace) -> _Face:
    passing = trace.reason in PASSING
    actual, target = trace.actual_bytes, trace.target_bytes
    return _Face(
        name=guest.name,
        reason=None if passing else trace.reason,
        bound=None if passing else trace.bound,
        target_bytes=target,
        has_arrived=None not in (actual, target)
        and abs((actual or 0) - (target or 0)) <= ARRIVED_BYTES,
        is_distressed=trace.is_distressed,
        is_stalled=trace.is_stalled,
        run_state=guest.run_state,
        has_trouble=guest.trouble is not None,
        is_doubted=trace.is_doubted,
    )


def _is_same_advice(kept: _Face, now: _Face) -> bool:
    if kept.target_bytes is None or now.target_bytes is None:
        return False
    return abs(now.target_bytes - kept.target_bytes) <= ADVICE_SAME_RATIO * kept.target_bytes


def _only(record: RoundRecord, keep: frozenset[GuestId]) -> RoundRecord:
    """The same round, as if it had only these guests; its events are all kept."""
    snapshot = record.snapshot
    return replace(
        record,
        snapshot=HostSnapshot(
            now_s=snapshot.now_s,
            wall_s=snapshot.wall_s,
            memory=snapshot.memory,
            guests=tuple(guest for guest in snapshot.guests if guest.guest in keep),
        ),
        plan=replace(
            record.plan,
            changes=tuple(change for change in record.plan.changes if change.guest in keep),
        ),
        trace=replace(
            record.trace,
            guests=tuple(trace for trace in record.trace.guests if trace.guest in keep),
        ),
    )
