"""``probe``: tighten until stalls appear, at a chosen stall budget (senpai).

Source: ``facebookincubator/senpai``, ``senpai.py`` and its README; J. Weiner et al., "TMO:
Transparent Memory Offloading in Datacenters", ASPLOS 2022, describes the idea. Restated here in
our own words.

Rule, every second: the time that tasks spent stalled on memory is summed up. Above 10 ms the
guest's size rises by the square of (sum / 10 ms) / 20, at most doubling it. If 6 s have passed
since the last move, the size falls by 1 % times the square of 10 ms / sum / 10, at most by 1 %.
Either starts the sum anew. If the size found is not the one last set, somebody else changed it:
start from what it holds.

Known faults: one guest at a time, so guests together may ask for more than there is; it never
stops taking, so a guest that idles is drained to its floor and pays when it wakes; the back-off
answers the stall of the last seconds and not the size of what is missing.

Approximated: it was made for a cgroup's limit, which takes effect at once and is not a balloon;
pressure is what the caller has (the guest's own, else that of the process that runs it). A guest
without any is left alone. Min and max stand for its constant bounds of 100 MiB and 100 GiB.
"""

from typing import NamedTuple

from aerostat.policy.baseline import GuestsView, HostView, is_placeable, keep_all, within
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn
from aerostat.units import PAGE_BYTES

PERIOD_S = 1.0
INTERVAL_S = 6.0
BUDGET_S = 0.010
SUM_S_MIN = 1e-6
BACKOFF_FULL_AT = 20.0
"""How many times the budget it takes to back off in full."""
BACKOFF_RATIO_MAX = 1.0
PROBE_FULL_AT = 10.0
"""How many times below the budget it takes to probe in full."""
PROBE_RATIO_MAX = 0.01
_TICK_TOLERANCE_S = 0.5 * PERIOD_S
"""The original counts ticks: one that comes a little early still counts."""


class ProbeMemory(NamedTuple):
    """What is remembered of each guest."""

    set_bytes: IntColumn  # the size last set; ABSENT: none of ours
    pressure_some_s: FloatColumn  # the counter when last read; ABSENT: not yet
    stalled_s: FloatColumn  # since the last move
    moved_s: FloatColumn


def new_memory(count: int) -> ProbeMemory:
    """Memory of guests nobody has seen yet."""
    return ProbeMemory(
        set_bytes=[ABSENT] * count,
        pressure_some_s=[float(ABSENT)] * count,
        stalled_s=[0.0] * count,
        moved_s=[float(ABSENT)] * count,
    )


def decide(host: HostView, guests: GuestsView, memory: ProbeMemory, out_target: IntColumn) -> None:
    """Write a target for every guest; the host's memory is not looked at."""
    keep_all(guests, out_target)
    for i in range(len(out_target)):
        if not is_placeable(guests, i) or guests.pressure_some_s[i] < 0.0:
            continue
        if memory.set_bytes[i] == ABSENT:
            memory.pressure_some_s[i] = guests.pressure_some_s[i]
            out_target[i] = _set(guests, memory, i, guests.actual_bytes[i], now_s=host.now_s)
            continue
        _add_stall(guests, memory, i)
        ratio = change_ratio(
            stalled_s=memory.stalled_s[i],
            may_probe=host.now_s - memory.moved_s[i] > INTERVAL_S - _TICK_TOLERANCE_S,
        )
        if ratio != 0.0:
            size = _changed(guests, memory, i, ratio)
            out_target[i] = _set(guests, memory, i, size, now_s=host.now_s)


def change_ratio(stalled_s: float, may_probe: bool) -> float:
    """By what share of its size a guest should change, for so much stall since its last move."""
    if stalled_s > BUDGET_S:
        error = stalled_s / BUDGET_S / BACKOFF_FULL_AT
        return min(error * error, 1.0) * BACKOFF_RATIO_MAX
    if not may_probe:
        return 0.0
    error = BUDGET_S / max(stalled_s, SUM_S_MIN) / PROBE_FULL_AT
    return -min(error * error, 1.0) * PROBE_RATIO_MAX


def _changed(guests: GuestsView, memory: ProbeMemory, i: int, ratio: float) -> int:
    """The changed size; what the guest holds, if the standing size is not the one we set."""
    ordered = guests.ordered_bytes[i]
    if ordered != memory.set_bytes[i]:
        return guests.actual_bytes[i]
    return int(ordered + ordered * ratio)


def _add_stall(guests: GuestsView, memory: ProbeMemory, i: int) -> None:
    """Add what the counter rose by; one that fell was reset, and tells nothing."""
    risen_s = guests.pressure_some_s[i] - memory.pressure_some_s[i]
    memory.stalled_s[i] += max(0.0, risen_s)
    memory.pressure_some_s[i] = guests.pressure_some_s[i]


def _set(guests: GuestsView, memory: ProbeMemory, i: int, size: int, now_s: float) -> int:
    """Remember a size, in whole pages as far as the bounds are, and begin a new interval."""
    size = within(size // PAGE_BYTES * PAGE_BYTES, guests.min_bytes[i], guests.max_bytes[i])
    memory.set_bytes[i] = size
    memory.stalled_s[i] = 0.0
    memory.moved_s[i] = now_s
    return size
