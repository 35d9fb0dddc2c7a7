"""How much of a guest's memory is active, by averages that believe a rise sooner than a fall.

After C. A. Waldspurger, OSDI 2002, section 5.3: samples are gathered over a period; a slow and a
fast moving average are kept of the periods; the estimate is the greatest of the slow one, the fast
one, and the fast one with the period underway taken in. The averages are of bytes, not of
fractions of what a guest happens to hold: there, the base is the virtual machine's size and never
moves.
"""

from typing import NamedTuple

from aerostat.policy.baseline import GuestsView, used_bytes
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn

SAMPLING_S = 30.0
FAST_GAIN = 0.5  # chosen: how much the averages weigh the newest period is not published
SLOW_GAIN = 0.125


class ActiveMemory(NamedTuple):
    """What is remembered of each guest's samples; bytes as floats, because they are averages."""

    slow_bytes: FloatColumn  # ABSENT: no period is complete yet
    fast_bytes: FloatColumn
    period_sum_bytes: FloatColumn
    period_samples: IntColumn
    period_since_s: FloatColumn  # ABSENT: no sample yet


def new_active_memory(count: int) -> ActiveMemory:
    """No samples yet, of any guest."""
    return ActiveMemory(
        slow_bytes=[float(ABSENT)] * count,
        fast_bytes=[float(ABSENT)] * count,
        period_sum_bytes=[0.0] * count,
        period_samples=[0] * count,
        period_since_s=[float(ABSENT)] * count,
    )


def observe_active(guests: GuestsView, memory: ActiveMemory, i: int, now_s: float) -> None:
    """Take in a sample, if there is a new one, and close the period when it is over."""
    reading = active_bytes(guests, i)
    if reading == ABSENT:
        return
    if memory.period_since_s[i] < 0.0:
        memory.period_since_s[i] = now_s
    elif guests.is_new_sample[i] == 0:
        return
    memory.period_sum_bytes[i] += reading
    memory.period_samples[i] += 1
    if now_s - memory.period_since_s[i] >= SAMPLING_S:
        _close_period(memory, i, now_s=now_s)


def estimate_active(memory: ActiveMemory, i: int) -> int:
    """Active bytes as believed now; ``ABSENT`` without any sample."""
    slow = memory.slow_bytes[i]
    fast = memory.fast_bytes[i]
    underway = fast
    if memory.period_samples[i] > 0:
        underway = _blend(fast, _period_mean(memory, i), FAST_GAIN)
    best = max(slow, fast, underway)
    return ABSENT if best < 0.0 else int(best)


def active_bytes(guests: GuestsView, i: int) -> int:
    """The newest reading: by its active ratio where that is known, else what it uses."""
    if guests.active_ratio[i] >= 0.0 and guests.actual_bytes[i] != ABSENT:
        return int(min(1.0, guests.active_ratio[i]) * guests.actual_bytes[i])
    return used_bytes(guests, i)


def _close_period(memory: ActiveMemory, i: int, now_s: float) -> None:
    mean = _period_mean(memory, i)
    memory.slow_bytes[i] = _blend(memory.slow_bytes[i], mean, SLOW_GAIN)
    memory.fast_bytes[i] = _blend(memory.fast_bytes[i], mean, FAST_GAIN)
    memory.period_sum_bytes[i] = 0.0
    memory.period_samples[i] = 0
    memory.period_since_s[i] = now_s


def _period_mean(memory: ActiveMemory, i: int) -> float:
    return memory.period_sum_bytes[i] / memory.period_samples[i]


def _blend(average: float, newest: float, gain: float) -> float:
    """Move an average towards the newest value; the first value is taken as it is."""
    return newest if average < 0.0 else average + gain * (newest - average)
