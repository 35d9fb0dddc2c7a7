"""``band``: each guest by itself is kept between 55 % and 65 % used (virtui).

Source: ``mvysny/virtui``, its README and ``lib/virt/ballooning_vm*``, with the swap rules of the
end of August 2026. Restated here in our own words.

Rule, every 2 s, for a guest whose statistics are not older than 12 s and have not been acted on
yet: at 65 % used or more (whole percent, of the guest's own total) it gets 130 % of its size, at
once. At 55 % or less it is cut to 90 %, unless it was moved within 10 s, appeared within 20 s, or
swapped out 1 MiB/s or more within 60 s. A guest that swaps out so much now is raised whatever it
uses.

Known faults: no view of the host at all, so guests together ask for more than there is; steps
relative to size only; the hop from 65 % lands at 50 %, below the shrink line, so the band hunts;
without swap counters a thrashing guest looks idle and is shrunk further.

Approximated: our min and max stand for its 8 GiB and the configured maximum. A guest that cannot
be moved now is not taken for a stopped one, so its back-off is not started anew.
"""

from typing import NamedTuple

from aerostat.policy.baseline import GuestsView, HostView, is_placeable, keep_all, within
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn
from aerostat.units import MIB

PERIOD_S = 2.0
STALE_S = 12.0
GROW_PERCENT = 65
SHRINK_PERCENT = 55
GROWN_PERCENT = 130
SHRUNK_PERCENT = 90
SETTLE_S = 10.0
BOOT_S = 20.0
SWAP_RATE = 1 * MIB
SWAP_VETO_S = 60.0


class BandMemory(NamedTuple):
    """What is remembered of each guest."""

    settled_s: FloatColumn  # not shrunk before this time, because it was moved
    veto_s: FloatColumn  # not shrunk before this time, because it swapped
    has_acted: IntColumn  # on the sample that is still the newest


def new_memory(count: int) -> BandMemory:
    """Memory of guests nobody has seen yet."""
    return BandMemory(
        settled_s=[float(ABSENT)] * count,
        veto_s=[float(ABSENT)] * count,
        has_acted=[0] * count,
    )


def decide(host: HostView, guests: GuestsView, memory: BandMemory, out_target: IntColumn) -> None:
    """Write a target for every guest; the host's figures are not looked at."""
    keep_all(guests, out_target)
    for i in range(len(out_target)):
        _observe(guests, memory, i, now_s=host.now_s)
        if not _can_judge(guests, i) or memory.has_acted[i] == 1:
            continue
        percent = _wanted_percent(guests, memory, i, now_s=host.now_s)
        size = within(
            guests.actual_bytes[i] * percent // 100, guests.min_bytes[i], guests.max_bytes[i]
        )
        if percent != 100 and size != guests.actual_bytes[i]:
            out_target[i] = size
            memory.has_acted[i] = 1
            memory.settled_s[i] = max(memory.settled_s[i], host.now_s + SETTLE_S)


def used_percent(total_bytes: int, available_bytes: int) -> int:
    """Whole percent of its total that the guest uses; 0 where it has none."""
    if total_bytes <= 0:
        return 0
    return within((total_bytes - available_bytes) * 100 // total_bytes, 0, 100)


def _observe(guests: GuestsView, memory: BandMemory, i: int, now_s: float) -> None:
    """Each sample counts once: it can be acted on, and can start a veto."""
    if guests.is_new_sample[i] == 1:
        memory.has_acted[i] = 0
        if guests.swap_out_rate[i] >= SWAP_RATE:
            memory.veto_s[i] = now_s + SWAP_VETO_S


def _can_judge(guests: GuestsView, i: int) -> bool:
    return (
        is_placeable(guests, i)
        and guests.min_bytes[i] <= guests.max_bytes[i]
        and guests.total_bytes[i] != ABSENT
        and guests.available_bytes[i] != ABSENT
        and 0.0 <= guests.sample_age_s[i] <= STALE_S
    )


def _wanted_percent(guests: GuestsView, memory: BandMemory, i: int, now_s: float) -> int:
    """To how much of its size the guest shall go; 100: stay."""
    used = used_percent(
        total_bytes=guests.total_bytes[i], available_bytes=guests.available_bytes[i]
    )
    if used >= GROW_PERCENT or guests.swap_out_rate[i] >= SWAP_RATE:
        return GROWN_PERCENT
    if used <= SHRINK_PERCENT and not _is_backing_off(guests, memory, i, now_s=now_s):
        return SHRUNK_PERCENT
    return 100


def _is_backing_off(guests: GuestsView, memory: BandMemory, i: int, now_s: float) -> bool:
    is_booting = guests.since_s[i] >= 0.0 and now_s < guests.since_s[i] + BOOT_S
    return is_booting or now_s < memory.settled_s[i] or now_s < memory.veto_s[i]
