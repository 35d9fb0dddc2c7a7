"""How figures and policies are written for people, the same in terminal, table and report."""

from collections.abc import Callable
from dataclasses import dataclass

from aerostat.units import format_size

ABSENT = "–"  # noqa: RUF001 - a dash that reads as "nothing here", not as a minus

_TITLES = {
    "unconstrained": "Unconstrained",
    "static": "Even split",
    "adaptive": "Aerostat",
    "clairvoyant": "Clairvoyant",
}


def policy_title(policy: str) -> str:
    """The name a policy goes by in front of people; unknown ones keep their own."""
    return _TITLES.get(policy, policy)


def format_percent(ratio: float) -> str:
    """A share with one digit; what is not whole is never rounded up to 100 %."""
    percent = ratio * 100
    if 99.9 < percent < 100:
        percent = 99.9
    told = f"{percent:.1f}"
    return "100 %" if told == "100.0" else f"{told} %"


def format_latency(latency_s: float) -> str:
    """Milliseconds with three figures of meaning, seconds from one second up."""
    if latency_s >= 1:
        return f"{latency_s:.2f} s"
    milliseconds = latency_s * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def format_seconds(duration_s: float) -> str:
    """Seconds, whole where that is all there is."""
    return f"{duration_s:.0f} s" if duration_s == int(duration_s) else f"{duration_s:.1f} s"


def format_bytes(size_bytes: float) -> str:
    """A size."""
    return format_size(round(size_bytes))


def format_count(count: float) -> str:
    """A count; a mean of counts keeps a digit."""
    return f"{count:,.0f}" if count == int(count) else f"{count:,.1f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over repeats: its mean and its extremes."""

    mean: float
    low: float
    high: float
    runs: int


def spread_of(figures: list[float]) -> Spread | None:
    """Mean, least and greatest; ``None`` if nothing was measured."""
    if not figures:
        return None
    return Spread(
        mean=sum(figures) / len(figures), low=min(figures), high=max(figures), runs=len(figures)
    )


def format_range(spread: Spread, form: Callable[[float], str], *, between: str = "..") -> str:
    """The extremes as ``low..high``, without their unit where it is the mean's own.

    Empty where there was one run, or the extremes read the same. ``between`` breaks the line where
    a column is narrow.
    """
    low, high = form(spread.low), form(spread.high)
    if low == high:
        return ""
    unit = _unit(form(spread.mean))
    if unit and {_unit(low), _unit(high)} == {unit}:
        low, high = low.removesuffix(unit).rstrip(), high.removesuffix(unit).rstrip()
    return f"{low}{between}{high}"


def _unit(told: str) -> str:
    return told.rpartition(" ")[2] if " " in told else ""
