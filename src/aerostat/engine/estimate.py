"""Estimates: how much a guest needs, what it holds, and whether it can be moved."""

from aerostat.engine.believe import ARRIVED_BYTES, is_left_to_others, sample_age_s
from aerostat.engine.closing import follow_shutdown
from aerostat.engine.columns import RUN_RUNNING, STANDING_NONE, Round
from aerostat.engine.confidence import confidence, headroom_of
from aerostat.engine.distress import (
    GROWTH_NOISE_RATE,
    OWN_EFFECT_S,
    STARVED_S,
    free_after_orders,
    has_distress_signal,
    held_bytes,
    is_squeezed,
    ordered_bytes,
    record_distress,
)
from aerostat.engine.host_side import PROCESS_BYTES, judge_host_side
from aerostat.engine.page_cache import cache_comfort_bytes, cache_floor_bytes, judge_cache
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB

COMING_S = 10.0
"""For so long a guest is expected to go on reading its pages back from swap."""
GROWING_S = 60.0
"""And to go on growing: one that has just started counts with what it was started for."""
IDLE_S = 30.0
"""A guest that has not grown for so long may be holding memory that it does not use."""
HEALTHY_SAMPLES_MIN = 3
"""Calm samples in a row before memory in use may be taken from a guest."""
TRIAL_RATIO = 0.05
"""Of max: so much is tried of what a guest uses before it has shown that it can swap."""
OVERHEAD_BYTES = 160 * MIB
"""What a VM's process may hold beside its guest's memory: 67-120 MiB were seen under TCG."""
OVERHEAD_DIVISOR = 32
"""And a share of the guest's max, for page tables and device state."""


def estimate(r: Round, i: int) -> None:
    """Judge guest ``i`` from what is believed of it; updates its record of distress."""
    out, memory, figures = r.estimates, r.memory, r.figures
    out.age_s[i] = sample_age_s(memory, i, r.now_s)
    fresh = figures.has_sample[i] == 1 and out.age_s[i] <= r.knobs.figures_age_s_max
    # A guest that still reports but no longer says what is available has taken its word back.
    is_told = fresh and figures.available_bytes[i] != ABSENT
    believed = is_told or r.knobs.checks_freshness == 0
    out.is_usable[i] = 1 if believed and memory.used_bytes[i] != ABSENT else 0
    out.ordered_bytes[i] = ordered_bytes(figures, memory, i)
    if is_squeezed(memory, i) and out.ordered_bytes[i] >= memory.squeeze_from_bytes[i]:
        # The take was refused, or only recommended: nobody was squeezed by it.
        memory.squeeze_from_bytes[i] = ABSENT
    if out.ordered_bytes[i] >= memory.trial_from_bytes[i]:
        memory.trial_from_bytes[i] = ABSENT  # given back, or never taken
    _count_what_it_holds(r, i)
    follow_shutdown(r, i)
    out.is_stalled[i] = 1 if is_stalled(r, i) else 0
    judge_host_side(r, i)
    _judge_distress(r, i, fresh)
    out.is_movable[i] = _is_movable(r, i)
    # What was asked of one that hangs, or is paused, is not on its way: it is asked of others.
    out.planned_bytes[i] = out.ordered_bytes[i]
    if out.is_movable[i] == 0:
        out.planned_bytes[i] = out.committed_bytes[i]
    _needs(r, i)
    if figures.is_backing_up[i] == 1 or figures.standing[i] != STANDING_NONE:
        _keep(r, i, out.ordered_bytes[i])
    elif figures.promised_bytes[i] != ABSENT:
        # It has still to show what it needs: until then what it does not use is not idle.
        _keep(r, i, min(out.ordered_bytes[i], figures.promised_bytes[i]))


def _count_what_it_holds(r: Round, i: int) -> None:
    """The largest of what it was asked for, what it says it holds, and what the host measures."""
    out = r.estimates
    actual = held_bytes(r.figures, r.memory, i)
    measured = 0
    if r.figures.held_bytes[i] != ABSENT and r.knobs.doubts == 1:
        allowance = OVERHEAD_BYTES + max(r.figures.max_bytes[i], 0) // OVERHEAD_DIVISOR
        measured = r.figures.held_bytes[i] - allowance
    out.is_doubted[i] = 1 if measured > actual else 0
    out.committed_bytes[i] = max(out.ordered_bytes[i], actual, measured)
    out.unsure_bytes[i] = 0  # but on a host that is short


def _judge_distress(r: Round, i: int, fresh: bool) -> None:
    out, memory = r.estimates, r.memory
    distressed = has_distress_signal(r, i, fresh)
    record_distress(r, i, distressed)
    # One that is shutting down is released as such: nobody gives for a guest about to be gone.
    protected = distressed and r.knobs.protects == 1 and out.is_closing[i] == 0
    out.is_distressed[i] = 1 if protected else 0
    lasting = r.now_s - memory.distress_began_s[i] >= STARVED_S
    out.is_starved[i] = 1 if protected and lasting else 0
    quiet = r.now_s - memory.distress_s[i] >= r.knobs.distress_quiet_s
    healthy = memory.healthy_samples[i] >= HEALTHY_SAMPLES_MIN
    out.is_calm[i] = 1 if (quiet and healthy) or r.knobs.spares_the_pressed == 0 else 0
    out.is_idle[i] = 1 if out.is_calm[i] == 1 and r.now_s - memory.grew_s[i] >= IDLE_S else 0
    judge_cache(r, i, distressed)


def is_stalled(r: Round, i: int) -> bool:
    """Whether the balloon has not come closer to its target for too long."""
    target = r.memory.target_bytes[i]
    actual = r.figures.actual_bytes[i]
    if ABSENT in (target, actual) or r.figures.run[i] != RUN_RUNNING:
        return False
    if r.knobs.notices_stalls == 0 or r.memory.has_arrived[i] == 1:
        return False
    moved_s = max(r.memory.progress_s[i], r.memory.target_set_s[i])
    return abs(actual - target) > ARRIVED_BYTES and r.now_s - moved_s > r.knobs.stall_s


def _is_movable(r: Round, i: int) -> int:
    """A paused guest keeps its place: its target would only be applied when it resumes.

    A stalled one is planned around, and so is one that somebody else moves, unless it is to be
    released: then it is, all the same.
    """
    can = (
        r.figures.is_managed[i] == 1
        and r.figures.run[i] == RUN_RUNNING
        and r.figures.has_balloon[i] == 1
        and ABSENT not in (r.figures.actual_bytes[i], r.figures.max_bytes[i])
    )
    released = r.estimates.is_distressed[i] == 1 or r.estimates.is_closing[i] == 1
    stuck = r.estimates.is_stalled[i] == 1 and not released
    return 1 if can and not stuck and (released or not _is_yielded(r, i)) else 0


def _is_yielded(r: Round, i: int) -> bool:
    """Whether it is left to somebody else who sets its targets.

    An order of the operator's counts for more, and so does a fresh kernel that needs room to boot.
    """
    ordered = r.figures.standing[i] != STANDING_NONE
    return is_left_to_others(r, i) and not ordered and r.memory.is_release_due[i] == 0


def _needs(r: Round, i: int) -> None:
    out, memory = r.estimates, r.memory
    max_bytes = r.figures.max_bytes[i]
    out.core_bytes[i] = ABSENT
    out.need_bytes[i] = ABSENT
    out.comfort_bytes[i] = ABSENT
    out.floor_bytes[i] = 0
    out.harmless_bytes[i] = 0
    out.kept_bytes[i] = out.ordered_bytes[i]
    out.confidence[i] = 0.0
    out.headroom_bytes[i] = 0
    if max_bytes == ABSENT:
        return
    out.confidence[i] = confidence(r, i)
    headroom = headroom_of(r, i, out.confidence[i])
    out.headroom_bytes[i] = headroom
    out.floor_bytes[i] = _floor_bytes(r, i)
    if out.is_distressed[i] == 1:
        # How much more a guest wants that is at its limit cannot be seen. It may have all that
        # others do not need; at the cost of their headroom, as much again as it has.
        out.core_bytes[i] = min(max_bytes, 2 * out.ordered_bytes[i] + headroom)
        out.need_bytes[i] = out.core_bytes[i]
        out.comfort_bytes[i] = max_bytes
        return
    # Where balloons free nothing, or lie, taking is in vain: it keeps what it has. So does one
    # that is shutting down: what it needs is over.
    if out.is_usable[i] == 0 or out.is_doubted[i] == 1 or out.is_closing[i] == 1:
        if out.is_closing[i] == 0:
            _needs_by_touch(r, i, headroom)
        return
    if is_squeezed(memory, i):
        _needs_of_squeezed(r, i, headroom)
        return
    growth = memory.growth_rate[i] if memory.growth_rate[i] > GROWTH_NOISE_RATE else 0.0
    heading = memory.used_bytes[i] + int(growth * r.knobs.lookahead_s)
    # One that grows will soon use its headroom: that is more than comfort.
    out.core_bytes[i] = min(heading + (headroom if growth > 0.0 else 0), max_bytes)
    need = max(heading + headroom, cache_floor_bytes(r, i))
    out.need_bytes[i] = min(need, max_bytes)
    learned = max(headroom, min(int(memory.burst_bytes[i]), r.knobs.headroom_bytes_max))
    remembered = int(memory.remembered_bytes[i]) + learned
    out.comfort_bytes[i] = min(max(need, remembered, cache_comfort_bytes(r, i)), max_bytes)
    # A guest that grows, or reads its pages back from swap, needs room for what is still to come.
    coming = int(growth * GROWING_S + max(0.0, memory.swap_in_rate[i]) * COMING_S)
    free = free_after_orders(r.figures, memory, i)
    out.harmless_bytes[i] = max(0, free - headroom - coming)
    out.kept_bytes[i] = min(memory.used_bytes[i] + headroom + coming, max_bytes)


def _needs_by_touch(r: Round, i: int, headroom: int) -> None:
    """What the host saw it touch, of a guest whose own word is absent or not to be believed.

    It may only be given memory on that: what it did not touch lately is no proof of what it can do
    without, and some of what it did touch is its process's own.
    """
    out, max_bytes = r.estimates, r.figures.max_bytes[i]
    ordered, touched = out.ordered_bytes[i], r.figures.touched_bytes[i] - PROCESS_BYTES
    if touched + headroom <= ordered:
        return
    out.core_bytes[i] = min(max(touched, ordered), max_bytes)
    out.need_bytes[i] = min(touched + headroom, max_bytes)
    out.comfort_bytes[i] = out.need_bytes[i]
    out.floor_bytes[i] = max(out.floor_bytes[i], min(ordered, max_bytes))


def _keep(r: Round, i: int, kept_bytes: int) -> None:
    """It may grow, and others are asked instead of it for what it has up to this."""
    out = r.estimates
    out.floor_bytes[i] = max(out.floor_bytes[i], kept_bytes)
    out.harmless_bytes[i] = max(0, min(out.harmless_bytes[i], out.ordered_bytes[i] - kept_bytes))
    if out.need_bytes[i] != ABSENT:
        out.core_bytes[i] = max(out.core_bytes[i], kept_bytes)
        out.need_bytes[i] = max(out.need_bytes[i], kept_bytes)
        out.comfort_bytes[i] = max(out.comfort_bytes[i], kept_bytes)


def _needs_of_squeezed(r: Round, i: int, headroom: int) -> None:
    """It was taken below what it used, and does not complain: it needs what it has.

    Its headroom is asked for again only in comfort, when there is enough for everybody's need.
    """
    out, memory = r.estimates, r.memory
    out.core_bytes[i] = out.ordered_bytes[i]
    out.need_bytes[i] = out.ordered_bytes[i]
    settled = r.now_s - memory.squeeze_s[i] >= OWN_EFFECT_S
    comfort = memory.used_bytes[i] + headroom if settled else out.ordered_bytes[i]
    out.comfort_bytes[i] = max(out.ordered_bytes[i], comfort)
    out.harmless_bytes[i] = max(0, free_after_orders(r.figures, memory, i) - headroom)


def _floor_bytes(r: Round, i: int) -> int:
    """Below this not even scarcity takes: ``least_bytes``, and what once hurt."""
    max_bytes = r.figures.max_bytes[i]
    floor = least_bytes(r, i)
    is_backing_off = r.knobs.backs_off == 1 and r.now_s < r.memory.backoff_until_s[i]
    if is_backing_off and r.memory.hurt_floor_bytes[i] != ABSENT:
        # What hurt once binds only as far as the guest still uses it.
        hurt = r.memory.hurt_floor_bytes[i]
        if r.memory.used_bytes[i] != ABSENT:
            hurt = min(hurt, r.memory.used_bytes[i] + r.estimates.headroom_bytes[i])
        floor = max(floor, hurt)
    return min(max(floor, cache_floor_bytes(r, i)), max_bytes)


def least_bytes(r: Round, i: int) -> int:
    """Min, what its system lives in, and all it uses where it may have nowhere to put it."""
    max_bytes = r.figures.max_bytes[i]
    floor = max(r.figures.min_bytes[i], min(r.knobs.guest_floor_bytes, max_bytes))
    if r.memory.swap_out_bytes[i] <= 0 and r.memory.used_bytes[i] != ABSENT:
        # It has never swapped, perhaps because it cannot: then what it uses cannot be taken, and
        # the first burst after a try would end in its OOM killer.
        # A host that is short itself may try a little all the same: the first pages show.
        kept = r.estimates.headroom_bytes[i] // 4
        tried = int(TRIAL_RATIO * max_bytes) if r.is_host_short == 1 else 0
        floor = max(floor, r.memory.used_bytes[i] + kept - tried)
    return min(floor, max_bytes)
