"""What the baselines share: the view they decide on, and the form every one of them has.

A baseline is somebody else's rule, run under its own limits so that a comparison is honest. It
sees columns of one host's guests and writes a target for each; whatever it must remember lives in
columns of its own, one entry a guest, so that rows can be carried along when guests come and go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn
from aerostat.policy.params import PolicyName

Column = IntColumn | FloatColumn
Memory = TypeVar("Memory", bound=tuple[Column, ...])


class HostView(NamedTuple):
    """One host; figures nobody could read are ``ABSENT``."""

    now_s: float  # monotonic
    total_bytes: int  # the host's RAM, or the budget that stands for it in an experiment
    supply_bytes: int  # what the guests together may hold
    available_bytes: int  # of the total; what guests gave back is in it only once it is back
    free_bytes: int
    cache_bytes: int  # buffers and page cache


class GuestsView(NamedTuple):
    """The guests of one host, one entry each; what is not known is ``ABSENT``.

    ``is_new_sample`` and the rates speak of the time since this policy was last asked.
    """

    min_bytes: IntColumn
    max_bytes: IntColumn
    weight: IntColumn
    ordered_bytes: IntColumn  # the standing target, or `actual` where there is none; never absent
    actual_bytes: IntColumn
    total_bytes: IntColumn  # these four as the guest's kernel counts them
    available_bytes: IntColumn
    free_bytes: IntColumn
    cache_bytes: IntColumn
    swap_in_rate: FloatColumn  # bytes per second
    swap_out_rate: FloatColumn
    pressure_some_s: FloatColumn  # cumulative
    active_ratio: FloatColumn  # share of `actual` touched lately; hardly any guest tells
    is_movable: IntColumn  # 0: it stays where it is
    is_new_sample: IntColumn
    sample_age_s: FloatColumn
    since_s: FloatColumn  # when the guest appeared, monotonic
    demand_bytes: IntColumn  # the truth, known in experiments alone
    next_demand_bytes: IntColumn


class NoMemory(NamedTuple):
    """For rules that decide every round anew."""


def new_no_memory(_count: int) -> NoMemory:
    """Nothing to remember, of however many guests."""
    return NoMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Generic[Memory]):
    """One rule, ready to be asked.

    Attributes:
        period_s: how often its original decides; a caller may ask at another pace, and the rule's
            own waiting times still count in seconds.
        new_memory: columns for so many guests that nobody has seen yet.
        decide: writes a target for every guest; the standing one means "leave it". It may change
            its memory and nothing else.
    """

    name: PolicyName
    period_s: float
    new_memory: Callable[[int], Memory]
    decide: Callable[[HostView, GuestsView, Memory, IntColumn], None]


def keep_all(guests: GuestsView, out_target: IntColumn) -> None:
    """Write "leave it" for every guest."""
    for i in range(len(out_target)):
        out_target[i] = guests.ordered_bytes[i]


def is_placeable(guests: GuestsView, i: int) -> bool:
    """Whether a target can be worked out and followed: it moves, and its bounds are known."""
    return (
        guests.is_movable[i] == 1
        and guests.actual_bytes[i] != ABSENT
        and guests.min_bytes[i] != ABSENT
        and guests.max_bytes[i] != ABSENT
    )


def within(value: int, low: int, high: int) -> int:
    """Return the value within [low, high]; where these cross, ``high`` wins."""
    return min(max(value, low), high)


def used_bytes(guests: GuestsView, i: int) -> int:
    """What the guest cannot spare at once: ``actual - available``; ``ABSENT`` if unknown."""
    if guests.actual_bytes[i] == ABSENT or guests.available_bytes[i] == ABSENT:
        return ABSENT
    return max(0, guests.actual_bytes[i] - guests.available_bytes[i])


def left_for_placeable(host: HostView, guests: GuestsView) -> int:
    """What of the supply remains beside guests that stay where they are."""
    left = host.supply_bytes
    for i in range(len(guests.ordered_bytes)):
        if not is_placeable(guests, i):
            left -= max(guests.ordered_bytes[i], guests.actual_bytes[i])
    return left
