"""From kept decisions to what a person calls a change; derived when read, stored nowhere."""

from collections.abc import Iterable
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


class Newsreel:
    """Takes a guest's decisions in order, and tells which were news and what came of the targets.

    News are targets that were sent and holds for a new reason.
    """

    def __init__(self, before: Decided | None = None) -> None:
        """Begin after ``before``, the decision that came first of all, where one is known."""
        self.news: list[News] = []
        self._reason: Reason | None = None if before is None else before.reason
        self._advised = before if before is not None and before.is_change else None
        self._open = False  # the target that was sent last may still be reached
        self._sent = 0  # where among the news that is

    def take(self, decided: Decided) -> None:
        """The next one."""
        if self._open:
            self._follow(decided)
        if decided.is_change and (decided.was_enforced or not self._is_advised(decided)):
            self.news.append(News(decided=decided))
            self._open = decided.was_enforced and decided.target_bytes is not None
            self._sent = len(self.news) - 1
        elif not decided.is_change and self._is_new_reason(decided.reason):
            self.news.append(News(decided=decided))
        if decided.is_change:
            self._advised = decided
        self._reason = decided.reason

    def forget_before(self, wall_s: float) -> None:
        """What was news before then is asked for no more."""
        kept = next((n for n, one in enumerate(self.news) if one.decided.wall_s >= wall_s), None)
        gone = len(self.news) if kept is None else kept
        if self._open and self._sent < gone:
            gone = self._sent  # what comes of it is not known yet
        del self.news[:gone]
        self._sent -= gone

    def _is_new_reason(self, reason: Reason) -> bool:
        return reason != self._reason and reason not in PASSING

    def _is_advised(self, decided: Decided) -> bool:
        advised = self._advised
        if advised is None or advised.reason is not decided.reason:
            return False
        before, now = advised.target_bytes or 0, decided.target_bytes or 0
        return abs(now - before) <= ADVICE_SAME_RATIO * before

    def _follow(self, after: Decided) -> None:
        """See whether ``actual`` reached the target before another one was sent."""
        news = self.news[self._sent]
        target, actual = news.decided.target_bytes, after.actual_bytes
        assert target is not None, "only sent targets are followed"
        if actual is not None:
            news = replace(news, last_actual_bytes=actual)
            if abs(actual - target) <= ARRIVED_BYTES:
                took_s = max(0.0, after.wall_s - news.decided.wall_s)
                news = replace(news, reached_after_s=took_s)
        if news.reached_after_s is None and after.is_change:
            news = replace(news, is_last=False)
        self._open = news.reached_after_s is None and news.is_last
        self.news[self._sent] = news


def news_of(decisions: Iterable[Decided], *, before: Decided | None = None) -> tuple[News, ...]:
    """Keep what is news, and see what came of it.

    Args:
        decisions: of one guest, in order.
        before: the decision that came before them, where one is known.
    """
    reel = Newsreel(before)
    for decided in decisions:
        reel.take(decided)
    return tuple(reel.news)
