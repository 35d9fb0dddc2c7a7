"""Estimates: how much a guest needs, whether it is in distress, and whether it can be moved."""

from aerostat.engine.believe import ARRIVED_BYTES, sample_age_s
from aerostat.engine.columns import (
    RUN_RUNNING,
    Estimates,
    Figures,
    Memory,
)
from aerostat.engine.params import EngineParams
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB

DISTRESS_AVAILABLE_RATIO = 0.03
"""Less available than this share of what the guest holds is distress by itself."""
DISTRESS_AVAILABLE_BYTES = 12 * MIB
DISTRESS_SWAP_RATE = 1 * MIB
"""Bytes per second of guest swap traffic, in or out, that is distress: quiet guests show 0."""
DISTRESS_PRESSURE_SOME = 0.20
DISTRESS_PRESSURE_FULL = 0.05
DISTRESS_FAULT_RATE = 200.0
"""Major faults per second that are distress when little is available as well."""
FAULTS_AVAILABLE_RATIO = 0.15
UNORDERED_RISE_BYTES = 4 * MIB
"""A balloon that deflates by itself by more than this ran into deflate-on-oom."""
GROWTH_NOISE_RATE = 2 * MIB
"""Bytes per second of rising use below which a guest is not growing, only breathing."""
BLAMED_S = 10.0
"""Distress that begins so soon after our take is the take's doing."""
RETURN_S = 10.0
"""For so long a guest is expected to go on reading its pages back from swap."""
HEALTHY_SAMPLES_MIN = 3
"""Calm samples in a row before anything may be taken from a guest again."""


def estimate(
    figures: Figures,
    memory: Memory,
    i: int,
    *,
    now_s: float,
    params: EngineParams,
    out: Estimates,
) -> None:
    """Judge guest ``i`` from what is believed of it; updates its record of distress."""
    out.age_s[i] = sample_age_s(memory, i, now_s=now_s)
    fresh = figures.has_sample[i] == 1 and out.age_s[i] <= params.guard.figures_age_max_s
    out.is_usable[i] = 1 if fresh and memory.used_bytes[i] != ABSENT else 0
    out.ordered_bytes[i] = _ordered_bytes(figures, memory, i)
    out.committed_bytes[i] = max(out.ordered_bytes[i], _held_bytes(figures, memory, i))
    out.is_stalled[i] = 1 if is_stalled(figures, memory, i, now_s=now_s, params=params) else 0
    distressed = has_distress_signal(figures, memory, i, is_fresh=fresh, params=params)
    _record_distress(memory, i, distressed=distressed, now_s=now_s, params=params)
    out.is_distressed[i] = 1 if distressed and params.is_guarded else 0
    out.is_movable[i] = _is_movable(figures, out, i)
    calm = is_calm(memory, i, now_s=now_s, params=params)
    out.is_calm[i] = 1 if calm else 0
    _needs(figures, memory, i, params=params, out=out)


def headroom_bytes(max_bytes: int, params: EngineParams) -> int:
    """What a guest of this size should have available beyond its working set."""
    knobs = params.adaptive
    wanted = int(knobs.headroom_ratio * max_bytes)
    return min(max(wanted, knobs.headroom_bytes_min), knobs.headroom_bytes_max)


def has_distress_signal(
    figures: Figures, memory: Memory, i: int, *, is_fresh: bool, params: EngineParams
) -> bool:
    """Whether anything says that the guest is short of memory now."""
    if figures.run[i] != RUN_RUNNING:
        return False
    if _rose_unordered(figures, memory, i):
        return True
    # A guest that stopped talking while in distress is still in it: old bad news may give, and
    # only old good news must not take.
    if not is_fresh and memory.healthy_samples[i] > 0:
        return False
    if _is_nearly_out(figures, memory, i) or memory.swap_out_rate[i] >= DISTRESS_SWAP_RATE:
        return True
    # What remains are signs of waiting. A guest that waits for its swap while its headroom lies
    # free is reading back what it once lost, and more memory would not help it.
    has_headroom = free_after_orders(figures, memory, i) >= headroom_bytes(
        figures.max_bytes[i], params
    )
    return not has_headroom and (
        memory.swap_in_rate[i] >= DISTRESS_SWAP_RATE
        or memory.pressure_some_ratio[i] >= DISTRESS_PRESSURE_SOME
        or memory.pressure_full_ratio[i] >= DISTRESS_PRESSURE_FULL
    )


def _is_nearly_out(figures: Figures, memory: Memory, i: int) -> bool:
    available = memory.available_bytes[i]
    actual = figures.actual_bytes[i]
    if ABSENT in (available, actual):
        return False
    if available < max(DISTRESS_AVAILABLE_BYTES, DISTRESS_AVAILABLE_RATIO * actual):
        return True
    faulting = memory.major_fault_rate[i] >= DISTRESS_FAULT_RATE
    return faulting and available < FAULTS_AVAILABLE_RATIO * actual


def _rose_unordered(figures: Figures, memory: Memory, i: int) -> bool:
    target = memory.target_bytes[i]
    if target == ABSENT or memory.has_arrived[i] == 0:
        return False
    return figures.actual_bytes[i] > target + UNORDERED_RISE_BYTES


def is_recovering(figures: Figures, memory: Memory, i: int, params: EngineParams) -> bool:
    """Whether much lies free in it and it swaps nothing out: what hurt it is over."""
    free = free_after_orders(figures, memory, i)
    least = max(2 * headroom_bytes(figures.max_bytes[i], params), memory.actual_bytes[i] // 4)
    return memory.swap_out_rate[i] <= 0.0 and free > least


def free_after_orders(figures: Figures, memory: Memory, i: int) -> int:
    """What lies free in it, by its last clean sample and what has been ordered since."""
    if memory.used_bytes[i] == ABSENT:
        return 0
    sampled = memory.used_bytes[i] + memory.clean_available_bytes[i]
    return max(0, memory.free_bytes[i] + _ordered_bytes(figures, memory, i) - sampled)


def is_calm(memory: Memory, i: int, *, now_s: float, params: EngineParams) -> bool:
    """Whether the guest has been without any sign of pressure for long enough to be taken from."""
    quiet_s = now_s - memory.distress_s[i]
    return (
        memory.healthy_samples[i] >= HEALTHY_SAMPLES_MIN
        and quiet_s >= params.guard.distress_quiet_s
    )


def is_stalled(
    figures: Figures, memory: Memory, i: int, *, now_s: float, params: EngineParams
) -> bool:
    """Whether the balloon has not come closer to its target for too long."""
    target = memory.target_bytes[i]
    actual = figures.actual_bytes[i]
    if ABSENT in (target, actual) or figures.run[i] != RUN_RUNNING:
        return False
    if abs(actual - target) <= ARRIVED_BYTES or memory.has_arrived[i] == 1:
        return False
    moved_s = max(memory.progress_s[i], memory.target_set_s[i])
    return now_s - moved_s > params.guard.stall_s


def _ordered_bytes(figures: Figures, memory: Memory, i: int) -> int:
    if memory.target_bytes[i] != ABSENT:
        return memory.target_bytes[i]
    return _held_bytes(figures, memory, i)


def _held_bytes(figures: Figures, memory: Memory, i: int) -> int:
    """What it holds; one that cannot be read now still holds what it held when last seen."""
    actual = figures.actual_bytes[i]
    return actual if actual != ABSENT else max(memory.actual_bytes[i], 0)


def _is_movable(figures: Figures, out: Estimates, i: int) -> int:
    """A paused guest keeps its place: its target would only be applied when it resumes.

    A stalled one is planned around, unless it is in distress: then it is released all the same.
    """
    can = (
        figures.is_managed[i] == 1
        and figures.run[i] == RUN_RUNNING
        and figures.has_balloon[i] == 1
        and ABSENT not in (figures.actual_bytes[i], figures.max_bytes[i])
    )
    return 1 if can and (out.is_stalled[i] == 0 or out.is_distressed[i] == 1) else 0


def _record_distress(
    memory: Memory, i: int, *, distressed: bool, now_s: float, params: EngineParams
) -> None:
    if distressed:
        began = memory.healthy_samples[i] > 0
        if began and now_s - memory.take_s[i] < BLAMED_S:
            _back_off(memory, i, now_s=now_s, params=params)
        memory.distress_s[i] = now_s
        memory.healthy_samples[i] = 0
    elif memory.sample_seen_s[i] == now_s:  # judge each sample once: no new one, no new proof
        swapping = memory.swap_out_rate[i] > 0.0
        memory.healthy_samples[i] = 0 if swapping else memory.healthy_samples[i] + 1


def _back_off(memory: Memory, i: int, *, now_s: float, params: EngineParams) -> None:
    """Distress soon after our own take: wait twice as long as last time before the next one."""
    guard = params.guard
    retry_s = max(guard.stall_retry_s, 2 * memory.backoff_s[i])
    memory.backoff_s[i] = min(retry_s, guard.stall_retry_s_max)
    memory.backoff_until_s[i] = now_s + memory.backoff_s[i]


def _needs(
    figures: Figures, memory: Memory, i: int, *, params: EngineParams, out: Estimates
) -> None:
    max_bytes = figures.max_bytes[i]
    out.need_bytes[i] = ABSENT
    out.comfort_bytes[i] = ABSENT
    out.harmless_bytes[i] = 0
    if max_bytes == ABSENT:
        return
    headroom = headroom_bytes(max_bytes, params)
    if out.is_distressed[i] == 1:
        # How much more a guest wants that is at its limit cannot be seen: it may have all.
        out.need_bytes[i] = max_bytes
        out.comfort_bytes[i] = max_bytes
        return
    if out.is_usable[i] == 0:
        return
    growth = memory.growth_rate[i] if memory.growth_rate[i] > GROWTH_NOISE_RATE else 0.0
    heading = memory.used_bytes[i] + int(growth * params.adaptive.lookahead_s)
    out.need_bytes[i] = heading + headroom
    out.comfort_bytes[i] = max(heading, int(memory.remembered_bytes[i])) + headroom
    # A guest that reads its pages back from swap needs room for those still to come.
    returning = int(max(0.0, memory.swap_in_rate[i]) * RETURN_S)
    free = free_after_orders(figures, memory, i)
    out.harmless_bytes[i] = max(0, free - headroom - returning)
