"""From kept decisions to what a person calls a change; derived when read, stored nowhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aerostat.engine.believe import ARRIVED_BYTES
from aerostat.model.reasons import Reason
from aerostat.store.thinning import ADVICE_SAME_RATIO, PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Of one kept decision about a guest, what tells whether it was news."""

    round: int
    wall_s: float
    was_enforced: bool
    is_change: bool
    reason: Reason
    target_bytes: int | None
    actual_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A decision that is another one than the one before, and what came of it: see ``Move``."""

    decided: Decided
    reached_after_s: float | None = None
    last_actual_bytes: int | None = None
    is_last: bool = True


def news_of(decisions: Iterable[Decided], *, before: Decided | None = None) -> tuple[News, ...]:
    """Keep targets that were sent and holds for a new reason, and see what came of the targets.

    Args:
        decisions: of one guest, in order.
        before: the decision that came before them, where one is known.
    """
    history = list(decisions)
    news: list[News] = []
    reason: Reason | None = None if before is None else before.reason
    advised = before if before is not None and before.is_change else None
    for number, decided in enumerate(history):
        if decided.is_change and not (not decided.was_enforced and _is_same(advised, decided)):
            news.append(_followed(history, number))
        elif not decided.is_change and decided.reason not in PASSING and decided.reason != reason:
            news.append(News(decided=decided))
        if decided.is_change:
            advised = decided
        reason = decided.reason
    return tuple(news)


def _is_same(advised: Decided | None, decided: Decided) -> bool:
    if advised is None or advised.reason is not decided.reason:
        return False
    before, now = advised.target_bytes or 0, decided.target_bytes or 0
    return abs(now - before) <= ADVICE_SAME_RATIO * before


def _followed(history: Sequence[Decided], number: int) -> News:
    """See whether ``actual`` reached the target before another one was sent."""
    decided = history[number]
    news = News(decided=decided)
    if not decided.was_enforced or decided.target_bytes is None:
        return news
    last_actual: int | None = None
    for after in (history[later] for later in range(number + 1, len(history))):
        actual = after.actual_bytes
        if actual is not None:
            last_actual = actual
            if abs(actual - decided.target_bytes) <= ARRIVED_BYTES:
                took_s = max(0.0, after.wall_s - decided.wall_s)
                return replace(news, last_actual_bytes=actual, reached_after_s=took_s)
        if after.is_change:
            return replace(news, last_actual_bytes=last_actual, is_last=False)
    return replace(news, last_actual_bytes=last_actual)
