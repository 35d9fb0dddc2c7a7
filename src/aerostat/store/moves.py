"""From kept decisions to what a person calls a change; derived when read, stored nowhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aerostat.engine.believe import ARRIVED_BYTES
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Reason
from aerostat.store.kept import Move
from aerostat.store.thinning import ADVICE_SAME_RATIO, PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One kept decision about a guest."""

    wall_s: float
    was_enforced: bool
    is_change: bool
    trace: GuestTrace


def moves_of(decisions: Iterable[Decided], *, before: Decided | None = None) -> tuple[Move, ...]:
    """Keep targets that were sent and holds for a new reason, and see what came of the targets.

    Args:
        decisions: of one guest, in order.
        before: the decision that came before them, where one is known.
    """
    history = list(decisions)
    moves: list[Move] = []
    reason: Reason | None = None if before is None else before.trace.reason
    advised = before.trace if before is not None and before.is_change else None
    for number, decided in enumerate(history):
        trace = decided.trace
        if decided.is_change and not (not decided.was_enforced and _is_same(advised, trace)):
            moves.append(_followed(history, number))
        elif not decided.is_change and trace.reason not in PASSING and trace.reason is not reason:
            moves.append(_plain(decided))
        if decided.is_change:
            advised = trace
        reason = trace.reason
    return tuple(moves)


def _is_same(advised: GuestTrace | None, trace: GuestTrace) -> bool:
    if advised is None or advised.reason is not trace.reason:
        return False
    before, now = advised.target_bytes or 0, trace.target_bytes or 0
    return abs(now - before) <= ADVICE_SAME_RATIO * before


def _plain(decided: Decided) -> Move:
    return Move(
        wall_s=decided.wall_s,
        was_enforced=decided.was_enforced,
        is_change=decided.is_change,
        trace=decided.trace,
    )


def _followed(history: Sequence[Decided], number: int) -> Move:
    """See whether ``actual`` reached the target before another one was sent."""
    decided = history[number]
    move = _plain(decided)
    target = decided.trace.target_bytes
    if not decided.was_enforced or target is None:
        return move
    for after in (history[later] for later in range(number + 1, len(history))):
        actual = after.trace.actual_bytes
        if actual is not None:
            move = replace(move, last_actual_bytes=actual)
            if abs(actual - target) <= ARRIVED_BYTES:
                return replace(move, reached_after_s=max(0.0, after.wall_s - decided.wall_s))
        if after.is_change:
            return replace(move, is_last=False)
    return move
