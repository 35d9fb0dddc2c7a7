"""``threshold``: with 20 % free on the host everybody grows, below it all shrink (MOM).

Source: oVirt ``mom``, ``doc/balloon.rules`` and ``doc/ksm.rules``; the article "Manage resources
on overcommitted KVM hosts" (A. Litke, IBM developerWorks, 2011) describes them. Restated here in
our own words.

Rule, every 10 s, on averages: while the host's free share is below 20 %, each guest loses at most
5 % of its size, down to what it uses plus a part of its size that falls with the host's free share
(20 % of it at the threshold; nothing and less below 5 %, which pushes guests into swap on
purpose). Otherwise each grows by 5 %, or in one go to what it uses plus 20 % of its size. Changes
of 0.25 % or less are not worth it. What a guest uses is its size less what is *unused*, so its
page cache counts as used.

Known faults: no feedback from swap or pressure; the same percentage for all; averages lag by up to
a minute; no check for stale figures or stuck balloons; the host's page cache counts as free, which
under shared memory makes a full host look empty; and one guest without a min ends the evaluation,
so that nobody on the host gets a target.

Approximated: averages are of 5 samples 10 s apart in place of 10 samples 5 s apart, over the same
50 s. Where the host's free memory or cache is unknown, its available memory stands for the two.
Left out: KSM tuning, and the variant with guards for single guests that vdsm ships.
"""

from typing import NamedTuple

from aerostat.policy.baseline import GuestsView, HostView, keep_all
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn

PERIOD_S = 10.0
PRESSURE_RATIO = 0.20
CRITICAL_RATIO = 0.05
GUEST_FREE_RATIO = 0.20
STEP_RATIO = 0.05
CHANGE_RATIO_MIN = 0.0025


class ThresholdMemory(NamedTuple):
    """The last samples of each guest, newest first, and of the host, repeated in every row.

    A column a sample, because a row has to be a row of plain numbers. The host's history is as long
    as that of the guest that has been here longest.
    """

    host_free_ratio_0: FloatColumn
    host_free_ratio_1: FloatColumn
    host_free_ratio_2: FloatColumn
    host_free_ratio_3: FloatColumn
    host_free_ratio_4: FloatColumn
    used_bytes_0: FloatColumn
    used_bytes_1: FloatColumn
    used_bytes_2: FloatColumn
    used_bytes_3: FloatColumn
    used_bytes_4: FloatColumn


def new_memory(count: int) -> ThresholdMemory:
    """Empty histories."""
    columns = [[float(ABSENT)] * count for _ in ThresholdMemory._fields]
    return ThresholdMemory(*columns)


def decide(
    host: HostView, guests: GuestsView, memory: ThresholdMemory, out_target: IntColumn
) -> None:
    """Write a target for every guest; a guest whose figures are incomplete is passed over."""
    keep_all(guests, out_target)
    ratio_now = host_free_ratio(host)
    if ratio_now < 0.0 or len(out_target) == 0:
        return
    for i in range(len(out_target)):
        _push_host_free(memory, i, ratio_now)
        if is_ready(guests, i):
            _push_used(memory, i, float(max(0, guests.actual_bytes[i] - guests.free_bytes[i])))
    if not is_evaluable(guests):
        return
    host_ratio = _host_average(memory)
    for i in range(len(out_target)):
        if is_ready(guests, i):
            _size(guests, i, _used_average(memory, i), host_ratio, out_target)


def host_free_ratio(host: HostView) -> float:
    """Share of the host's memory that MOM calls free; negative if unknown."""
    if host.total_bytes <= 0:
        return float(ABSENT)
    if ABSENT not in (host.free_bytes, host.cache_bytes):
        return (host.free_bytes + host.cache_bytes) / host.total_bytes
    if host.available_bytes != ABSENT:
        return host.available_bytes / host.total_bytes
    return float(ABSENT)


def is_ready(guests: GuestsView, i: int) -> bool:
    """Whether every figure is there that the rules name, except the min."""
    return (
        guests.is_movable[i] == 1
        and guests.actual_bytes[i] != ABSENT
        and guests.max_bytes[i] != ABSENT
        and guests.free_bytes[i] != ABSENT
    )


def is_evaluable(guests: GuestsView) -> bool:
    """Whether the rules run to their end: a ready guest without a min breaks them for all."""
    for i in range(len(guests.min_bytes)):
        if is_ready(guests, i) and guests.min_bytes[i] == ABSENT:
            return False
    return True


def shrunk_bytes(actual: int, used: float, least: int, host_ratio: float) -> int:
    """Size of a guest on a host under pressure; ``ABSENT``: leave it.

    Args:
        actual: what it holds now, in bytes.
        used: what it used on average, in bytes.
        least: its min, in bytes.
        host_ratio: average free share of the host, below the threshold.
    """
    if host_ratio <= CRITICAL_RATIO:
        free_ratio = host_ratio - CRITICAL_RATIO
    else:
        free_ratio = GUEST_FREE_RATIO * host_ratio / PRESSURE_RATIO
    floor = max(float(least), used + free_ratio * actual)
    size = max((1.0 - STEP_RATIO) * actual, floor)
    if size > actual or not _is_worth_it(size, actual):
        return ABSENT
    return int(size)


def grown_bytes(actual: int, used: float, least: int, most: int) -> int:
    """Size of a guest on a host that has enough; ``ABSENT``: leave it. All in bytes."""
    if actual >= most:
        return ABSENT
    floor = max(float(least), used + GUEST_FREE_RATIO * actual)
    size = min(max((1.0 + STEP_RATIO) * actual, floor), float(most))
    return int(size) if _is_worth_it(size, actual) else ABSENT


def _size(
    guests: GuestsView, i: int, used: float, host_ratio: float, out_target: IntColumn
) -> None:
    actual = guests.actual_bytes[i]
    least = guests.min_bytes[i]
    if host_ratio < PRESSURE_RATIO:
        size = shrunk_bytes(actual=actual, used=used, least=least, host_ratio=host_ratio)
    else:
        size = grown_bytes(actual=actual, used=used, least=least, most=guests.max_bytes[i])
    if size != ABSENT:
        out_target[i] = size


def _is_worth_it(size: float, actual: int) -> bool:
    return abs(size - actual) > CHANGE_RATIO_MIN * actual


def _push_host_free(memory: ThresholdMemory, i: int, ratio: float) -> None:
    """Put the newest sample in front; the oldest falls out."""
    memory.host_free_ratio_4[i] = memory.host_free_ratio_3[i]
    memory.host_free_ratio_3[i] = memory.host_free_ratio_2[i]
    memory.host_free_ratio_2[i] = memory.host_free_ratio_1[i]
    memory.host_free_ratio_1[i] = memory.host_free_ratio_0[i]
    memory.host_free_ratio_0[i] = ratio


def _push_used(memory: ThresholdMemory, i: int, used: float) -> None:
    """Put the newest sample in front; the oldest falls out."""
    memory.used_bytes_4[i] = memory.used_bytes_3[i]
    memory.used_bytes_3[i] = memory.used_bytes_2[i]
    memory.used_bytes_2[i] = memory.used_bytes_1[i]
    memory.used_bytes_1[i] = memory.used_bytes_0[i]
    memory.used_bytes_0[i] = used


def _used_average(memory: ThresholdMemory, i: int) -> float:
    return _average(
        memory.used_bytes_0[i],
        memory.used_bytes_1[i],
        memory.used_bytes_2[i],
        memory.used_bytes_3[i],
        memory.used_bytes_4[i],
    )


def _host_average(memory: ThresholdMemory) -> float:
    """Average over the longest history: that of whoever has been here longest.

    Whoever came later has the newest part of the same history.
    """
    longest = 0
    for i in range(len(memory.host_free_ratio_0)):
        if _host_samples(memory, i) > _host_samples(memory, longest):
            longest = i
    return _average(
        memory.host_free_ratio_0[longest],
        memory.host_free_ratio_1[longest],
        memory.host_free_ratio_2[longest],
        memory.host_free_ratio_3[longest],
        memory.host_free_ratio_4[longest],
    )


def _host_samples(memory: ThresholdMemory, i: int) -> int:
    """How many samples of the host a guest's row has; newest first, without gaps."""
    if memory.host_free_ratio_4[i] >= 0.0:
        return 5
    if memory.host_free_ratio_3[i] >= 0.0:
        return 4
    if memory.host_free_ratio_2[i] >= 0.0:
        return 3
    return 2 if memory.host_free_ratio_1[i] >= 0.0 else 1


def _average(newest: float, second: float, third: float, fourth: float, oldest: float) -> float:
    """Average of the samples that are there; the newest always is."""
    total = newest
    samples = 1
    for sample in (second, third, fourth, oldest):
        if sample >= 0.0:
            total += sample
            samples += 1
    return total / samples
