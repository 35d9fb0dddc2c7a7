"""Distress: which signs say that a guest is short of memory now, and which are only scars."""

from aerostat.engine.columns import RUN_RUNNING, Figures, Memory, Round
from aerostat.engine.knobs import Knobs
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB

AVAILABLE_RATIO = 0.03
"""Less available than this share of what the guest holds is distress by itself."""
AVAILABLE_BYTES = 12 * MIB
SWAP_RATE = 1 * MIB
"""Bytes per second of guest swap traffic, in or out, that is distress: quiet guests show 0."""
PARKING_RATE = 4 * MIB
"""A kernel that prefers hot files to cold pages was seen to swap out up to a third of this."""
SQUEEZED_SWAP_IN_RATE = MIB // 2
"""A guest just squeezed that reads back this much was using what was taken."""
PRESSURE_SOME = 0.20
PRESSURE_FULL = 0.05
FAULT_RATE = 200.0
"""Major faults or refaults per second that are distress when little is available as well."""
FAULTS_AVAILABLE_RATIO = 0.15
QUIET_FAULT_RATE = 5.0
QUIET_GROWTH_RATE = MIB // 4
QUIET_PRESSURE = 0.01
"""A guest that faults, grows and waits less than this has no use for more memory."""
STALL_RATE = 50.0
"""Allocations a second that had to wait for reclaim."""
UNORDERED_RISE_BYTES = 4 * MIB
"""A balloon that deflates by itself by more than this ran into deflate-on-oom."""
GROWTH_NOISE_RATE = 2 * MIB
"""Bytes per second of rising use below which a guest is not growing, only breathing."""
OWN_EFFECT_S = 10.0
"""For so long after a squeeze, swapping out is what was asked of the guest."""
TRIAL_S = 5.0
"""For so long what was tried of a guest within its due is kept aside for it: hot pages show."""
STARVED_S = 3.0
"""In distress for so long with all that could be given: the others are asked for more."""
BLAMED_S = 10.0
"""Distress that begins so soon after our take is the take's doing."""
PUSHED_S = 1.5
"""So long pressure stands that an agent pushed; while it lasts, the kernel says it again."""


def headroom_bytes(max_bytes: int, knobs: Knobs) -> int:
    """What a guest of this size should have available beyond its working set."""
    wanted = int(knobs.headroom_ratio * max_bytes)
    return min(max(wanted, knobs.headroom_bytes_min), knobs.headroom_bytes_max)


def is_squeezed(memory: Memory, i: int) -> bool:
    """Whether it was taken below what it used, and has not got that back."""
    return memory.squeeze_from_bytes[i] != ABSENT


def is_on_trial(memory: Memory, i: int, now_s: float) -> bool:
    """Whether memory it may be using was taken so lately that nobody else has it yet."""
    return memory.trial_from_bytes[i] != ABSENT and now_s - memory.squeeze_s[i] < TRIAL_S


def ordered_bytes(figures: Figures, memory: Memory, i: int) -> int:
    """The standing target, or what it holds where there is none."""
    if memory.target_bytes[i] != ABSENT:
        return memory.target_bytes[i]
    return held_bytes(figures, memory, i)


def held_bytes(figures: Figures, memory: Memory, i: int) -> int:
    """What it holds; one that cannot be read now still holds what it held when last seen."""
    actual = figures.actual_bytes[i]
    return actual if actual != ABSENT else max(memory.actual_bytes[i], 0)


def free_after_orders(figures: Figures, memory: Memory, i: int) -> int:
    """What lies free in it, by its last clean sample and what has been ordered since."""
    if memory.used_bytes[i] == ABSENT:
        return 0
    sampled = memory.used_bytes[i] + memory.clean_available_bytes[i]
    return max(0, memory.free_bytes[i] + ordered_bytes(figures, memory, i) - sampled)


def has_distress_signal(r: Round, i: int, is_fresh: bool) -> bool:
    """Whether anything says that the guest is short of memory now."""
    figures, memory = r.figures, r.memory
    if figures.run[i] != RUN_RUNNING:
        return False
    unordered = _rose_unordered(figures, memory, i)
    if unordered or memory.oom_kill_rate[i] > 0.0 or _is_pushed(r, i):
        return True
    # A guest that stopped talking while in distress is still in it: old bad news may give, and
    # only old good news must not take.
    if not is_fresh and memory.healthy_samples[i] > 0:
        return False
    if is_squeezed(memory, i):
        return _is_hurt(memory, i) or _pushes_out_for_itself(r, i)
    nearly_out = _is_nearly_out(figures, memory, i) and not _is_quiet(memory, i)
    if nearly_out or _swaps_out_for_need(r, i, SWAP_RATE):
        return True
    # What remains are signs of waiting. A guest that waits for its swap while its headroom lies
    # free is reading back what it once lost, and more memory would not help it.
    return _waits(memory, i) and _lacks_headroom(r, i)


def _lacks_headroom(r: Round, i: int) -> bool:
    headroom = headroom_bytes(r.figures.max_bytes[i], r.knobs)
    return free_after_orders(r.figures, r.memory, i) < headroom


def _is_pushed(r: Round, i: int) -> bool:
    """Whether its agent said just now that it waits, and what it had free then is not enough.

    What is given on its word counts as free at once, so that one cry brings one headroom and no
    more; and a guest just squeezed is expected to wait while that lasts.
    """
    memory = r.memory
    free = memory.pushed_free_bytes[i]
    if r.now_s - memory.pushed_s[i] > PUSHED_S or ABSENT in (free, memory.pushed_held_bytes[i]):
        return False
    if is_squeezed(memory, i):
        own = memory.has_arrived[i] == 0 or r.now_s - memory.squeeze_s[i] < OWN_EFFECT_S
        if own or memory.pushed_is_full[i] == 0:
            return False
    free += ordered_bytes(r.figures, memory, i) - memory.pushed_held_bytes[i]
    return free < headroom_bytes(r.figures.max_bytes[i], r.knobs)


def _waits(memory: Memory, i: int) -> bool:
    return (
        memory.swap_in_rate[i] >= SWAP_RATE
        or memory.pressure_some_ratio[i] >= PRESSURE_SOME
        or memory.pressure_full_ratio[i] >= PRESSURE_FULL
        or memory.alloc_stall_rate[i] >= STALL_RATE
    )


def _is_hurt(memory: Memory, i: int) -> bool:
    """Little available and swapping out was asked of a squeezed guest. Reading back was not."""
    return (
        memory.swap_in_rate[i] >= SQUEEZED_SWAP_IN_RATE
        or memory.pressure_full_ratio[i] >= PRESSURE_FULL
        or memory.refault_rate[i] >= FAULT_RATE
    )


def _pushes_out_for_itself(r: Round, i: int) -> bool:
    """Long after the squeeze, swapping out is not what was asked of it: its own need has grown."""
    memory = r.memory
    own = memory.has_arrived[i] == 0 or r.now_s - memory.squeeze_s[i] < OWN_EFFECT_S
    return not own and _swaps_out_for_need(r, i, SWAP_RATE)


def _swaps_out_for_need(r: Round, i: int, rate_min: float) -> bool:
    """Whether it swaps out so much because it has to.

    A kernel that reads many files also parks a few cold pages in swap, while it could drop a whole
    headroom of cache at once. That is its choice, as long as it hardly reads them back.
    """
    memory = r.memory
    rate = memory.swap_out_rate[i]
    if rate < rate_min or rate <= 0.0:
        return False
    cache = memory.clean_available_bytes[i] - memory.free_bytes[i]
    parks = (
        rate < PARKING_RATE
        and memory.swap_in_rate[i] < SQUEEZED_SWAP_IN_RATE
        and memory.used_bytes[i] != ABSENT
        and r.estimates.is_doubted[i] == 0  # whoever may be lying has no cache to show
        and cache >= headroom_bytes(r.figures.max_bytes[i], r.knobs)
    )
    return not parks


def _is_nearly_out(figures: Figures, memory: Memory, i: int) -> bool:
    available = memory.available_bytes[i]
    actual = figures.actual_bytes[i]
    if ABSENT in (available, actual):
        return False
    if available < max(AVAILABLE_BYTES, int(AVAILABLE_RATIO * actual)):
        return True
    faulting = memory.major_fault_rate[i] >= FAULT_RATE or memory.refault_rate[i] >= FAULT_RATE
    return faulting and available < FAULTS_AVAILABLE_RATIO * actual


def _is_quiet(memory: Memory, i: int) -> bool:
    """Whether nothing moves in it: with little available, but without any use for more.

    A guest seen for the first time, whose rates nobody knows yet, is not quiet.
    """
    return (
        memory.swap_in_rate[i] == 0.0
        and memory.swap_out_rate[i] == 0.0
        and 0.0 <= memory.major_fault_rate[i] < QUIET_FAULT_RATE
        and memory.growth_rate[i] < QUIET_GROWTH_RATE
        and memory.pressure_some_ratio[i] < QUIET_PRESSURE
    )


def _rose_unordered(figures: Figures, memory: Memory, i: int) -> bool:
    target = memory.target_bytes[i]
    if target == ABSENT or memory.has_arrived[i] == 0:
        return False
    if figures.deflates_on_oom[i] == 0:
        return False  # no balloon of this kind lets go by itself: somebody else has raised it
    if target >= figures.max_bytes[i]:
        return False  # it was given all it may have: what it took beyond that says nothing more
    return figures.actual_bytes[i] > target + UNORDERED_RISE_BYTES


def is_recovering(r: Round, i: int) -> bool:
    """Whether much lies free in it and it swaps nothing out: what hurt it is over."""
    free = free_after_orders(r.figures, r.memory, i)
    headroom = headroom_bytes(r.figures.max_bytes[i], r.knobs)
    least = max(2 * headroom, r.memory.actual_bytes[i] // 4)
    return r.memory.swap_out_rate[i] <= 0.0 and free > least


def record_distress(r: Round, i: int, distressed: bool) -> None:
    """Remember when distress began and was last seen, and what a take of ours has to do with it."""
    memory = r.memory
    if distressed:
        if memory.healthy_samples[i] > 0:
            memory.distress_began_s[i] = r.now_s
            if is_squeezed(memory, i) or r.now_s - memory.take_s[i] < BLAMED_S:
                _back_off(r, i)
        memory.distress_s[i] = r.now_s
        memory.healthy_samples[i] = 0
    elif memory.sample_seen_s[i] == r.now_s:  # judge each sample once: no new one, no new proof
        own = is_squeezed(memory, i) and r.now_s - memory.squeeze_s[i] < OWN_EFFECT_S
        swapping = not own and _swaps_out_for_need(r, i, 0.0)
        memory.healthy_samples[i] = 0 if swapping else memory.healthy_samples[i] + 1


def wait_longer(r: Round, i: int) -> None:
    """The next take waits twice as long as the last time."""
    memory, knobs = r.memory, r.knobs
    retry_s = max(knobs.stall_retry_s, 2 * memory.backoff_s[i])
    memory.backoff_s[i] = min(retry_s, knobs.stall_retry_s_max)
    memory.backoff_until_s[i] = r.now_s + memory.backoff_s[i]


def _back_off(r: Round, i: int) -> None:
    """Distress by our own take: wait twice as long as last time before the next one."""
    memory = r.memory
    wait_longer(r, i)
    memory.cache_floor_bytes[i] = ABSENT
    if is_squeezed(memory, i):
        memory.hurt_floor_bytes[i] = memory.squeeze_from_bytes[i]
    memory.squeeze_from_bytes[i] = ABSENT
