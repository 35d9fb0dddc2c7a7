"""Belief: which figures are new, how old they are, and what changed between two samples.

A statistic whose time stamp has not moved is old, whenever it was read. Counters that go backwards
mean the guest was reset. A sample that arrived while the balloon moved tells nothing about how
much the guest uses: ``available`` and ``actual`` belong to different instants.
"""

from aerostat.engine.columns import Figures, Memory, Round
from aerostat.engine.distress import GROWTH_NOISE_RATE
from aerostat.engine.host_side import believe_host_side
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn
from aerostat.units import MIB

BLUR_BYTES = 4 * MIB
"""A move smaller than this between two reads does not spoil a sample."""

ARRIVED_BYTES = 2 * MIB
"""Closer than this to its target a balloon has arrived: drivers move whole MiB."""

RATE_SPAN_S_MIN = 0.4
"""Samples closer together than this give no rate: time stamps are too coarse."""

PROGRESS_BYTES_MIN = MIB
"""One byte is not progress: a balloon that moves, moves by its driver's batch of 256 pages."""

TURNS_FORGOTTEN_S = 60.0
"""Time constant of forgetting that a guest was moved to and fro."""

BURST_FORGOTTEN_S = 600.0
"""Time constant of forgetting how fast a guest can grow."""

RISE_FORGOTTEN_S = 8 * 3600.0
"""Time constant of forgetting how far a guest once rose at a stretch: what bursts, bursts again."""

TURN_ROUND_S = 3.0
"""So long after a target a balloon may still be at what it was sent before ..."""
TURN_ROUND_BYTES = 8 * MIB
"""... and so far below: 6 MiB were seen. Who sets another target mostly means more."""

SETTLED_SAMPLES = 3
"""So many samples without a move, and a guest holds what it was last asked for."""

CLEAN_SAMPLES_MAX = 100
"""Further ones are not counted."""

PERIOD_S_MIN = 1.0
"""Guests' drivers report in whole seconds: samples read closer together came at uneven times."""


def believe(r: Round, i: int) -> None:
    """Fold this round's figures of guest ``i`` into its memory."""
    actual = r.figures.actual_bytes[i]
    before = r.memory.actual_bytes[i]
    blurred = ABSENT not in (actual, before) and abs(actual - before) > BLUR_BYTES
    if is_new_sample(r.figures, r.memory, i):
        _take_sample(r, i, blurred)
    _take_pressure(r.figures, r.memory, i)
    believe_host_side(r, i)
    _follow_the_balloon(r, i)


def is_new_sample(figures: Figures, memory: Memory, i: int) -> bool:
    """Whether the guest has written statistics since the last round."""
    if figures.has_sample[i] == 0:
        return False
    # Time stamps have whole seconds, so two samples may share one: then their figures tell. One
    # that is only read in full now, or in part, is the same sample.
    now, before = figures.available_bytes[i], memory.sample_available_bytes[i]
    is_other = ABSENT not in (now, before) and now != before
    return figures.sample_wall_s[i] != memory.sample_wall_s[i] or is_other


def sample_age_s(memory: Memory, i: int, now_s: float) -> float:
    """How old the newest sample is, by our own monotonic clock since it first showed."""
    return memory.sample_age_s[i] + (now_s - memory.sample_seen_s[i])


def _take_sample(r: Round, i: int, blurred: bool) -> None:
    figures, memory = r.figures, r.memory
    span_s = r.now_s - memory.sample_seen_s[i]
    if span_s >= RATE_SPAN_S_MIN:
        _rates(figures, memory, i, span_s)
        if not blurred:
            _usage(r, i)
        memory.sample_seen_s[i] = r.now_s
        # One long silence is no period: it has to come again before it is believed.
        likely_s = min(float(int(span_s)), 2.0 * memory.sample_period_s[i])
        memory.sample_period_s[i] = max(PERIOD_S_MIN, likely_s)
    memory.sample_wall_s[i] = figures.sample_wall_s[i]
    memory.sample_age_s[i] = max(0.0, figures.sample_age_s[i])
    memory.sample_available_bytes[i] = figures.available_bytes[i]
    memory.available_bytes[i] = figures.available_bytes[i]


def _rates(figures: Figures, memory: Memory, i: int, span_s: float) -> None:
    _rate(figures.swap_in_bytes, memory.swap_in_bytes, memory.swap_in_rate, i, span_s)
    _rate(figures.swap_out_bytes, memory.swap_out_bytes, memory.swap_out_rate, i, span_s)
    _rate(figures.major_faults, memory.major_faults, memory.major_fault_rate, i, span_s)
    _rate(figures.oom_kills, memory.oom_kills, memory.oom_kill_rate, i, span_s)
    _rate(figures.alloc_stalls, memory.alloc_stalls, memory.alloc_stall_rate, i, span_s)
    _rate(figures.disk_read_bytes, memory.disk_read_bytes, memory.disk_read_rate, i, span_s)


def _take_pressure(figures: Figures, memory: Memory, i: int) -> None:
    """An agent's figures come at times of their own: their rates are over their own spans."""
    stamp_s, before_s = figures.pressure_wall_s[i], memory.pressure_wall_s[i]
    if stamp_s < 0.0 and before_s < 0.0:
        return  # as with most guests: no agent
    span_s = stamp_s - before_s
    if 0.0 <= span_s < RATE_SPAN_S_MIN:
        return
    if stamp_s < 0.0 or span_s < 0.0:  # it is silent, or the host's clock was set back
        _forget_pressure(memory, i)
        span_s = 1.0  # of no rate
    memory.pressure_wall_s[i] = stamp_s
    _rate(figures.refaults, memory.refaults, memory.refault_rate, i, span_s)
    _ratio(figures.pressure_some_s, memory.pressure_some_s, memory.pressure_some_ratio, i, span_s)
    _ratio(figures.pressure_full_s, memory.pressure_full_s, memory.pressure_full_ratio, i, span_s)


def _forget_pressure(memory: Memory, i: int) -> None:
    memory.refaults[i] = ABSENT
    memory.refault_rate[i] = float(ABSENT)
    memory.pressure_some_s[i] = float(ABSENT)
    memory.pressure_some_ratio[i] = float(ABSENT)
    memory.pressure_full_s[i] = float(ABSENT)
    memory.pressure_full_ratio[i] = float(ABSENT)


def _rate(new: IntColumn, old: IntColumn, rate: FloatColumn, i: int, span_s: float) -> None:
    """Rate of a counter; unknown on the first sample and after it went backwards."""
    before, now = old[i], new[i]
    if now == before:  # as nearly always: nothing is divided, and of an absent one nothing written
        if now != ABSENT:
            rate[i] = 0.0
        return
    old[i] = now
    rate[i] = float(ABSENT)
    if before != ABSENT and now > before:  # no counter is below 0, which ABSENT is
        rate[i] = (now - before) / span_s


def _ratio(new: FloatColumn, old: FloatColumn, ratio: FloatColumn, i: int, span_s: float) -> None:
    before, now = old[i], new[i]
    if now < 0.0 and before < 0.0:
        return
    old[i] = now
    ratio[i] = float(ABSENT)
    if now >= 0.0 and before >= 0.0 and now >= before:
        ratio[i] = min(1.0, (now - before) / span_s)


def _usage(r: Round, i: int) -> None:
    """Working set from this sample: rises at once, remembered falls slowly."""
    figures, memory, knobs = r.figures, r.memory, r.knobs
    if ABSENT in (figures.actual_bytes[i], figures.available_bytes[i]):
        return
    # Not total - available: with deflate-on-oom the guest's total leaves the balloon in.
    used = max(0, figures.actual_bytes[i] - figures.available_bytes[i])
    before = memory.used_bytes[i]
    span_s = r.now_s - memory.clean_s[i]
    growth = (used - before) / span_s if used > before != ABSENT else 0.0
    memory.growth_rate[i] = growth
    if growth > GROWTH_NOISE_RATE:
        memory.grew_s[i] = r.now_s
    memory.used_bytes[i] = used
    memory.clean_available_bytes[i] = figures.available_bytes[i]
    # A guest that does not say what lies free is treated as if nothing did.
    memory.free_bytes[i] = max(0, min(figures.free_bytes[i], figures.available_bytes[i]))
    memory.cache_bytes[i] = figures.cache_bytes[i]
    memory.clean_s[i] = r.now_s
    memory.clean_age_s[i] = max(0.0, figures.sample_age_s[i])
    memory.clean_samples[i] = min(memory.clean_samples[i] + 1, CLEAN_SAMPLES_MAX)
    # Implicit Euler steps: exact sums of simple divisions, the same interpreted and compiled.
    kept = knobs.fall_s / (knobs.fall_s + span_s)
    memory.remembered_bytes[i] = max(float(used), used + (memory.remembered_bytes[i] - used) * kept)
    if memory.turns[i] > 0.0:  # most guests were not moved to and fro, and did not grow, for long
        memory.turns[i] *= TURNS_FORGOTTEN_S / (TURNS_FORGOTTEN_S + span_s)
    burst = growth * knobs.lookahead_s
    if memory.burst_bytes[i] > 0.0:
        faded = memory.burst_bytes[i] * (BURST_FORGOTTEN_S / (BURST_FORGOTTEN_S + span_s))
        burst = max(burst, faded)
    memory.burst_bytes[i] = burst
    _learn_rise(memory, i, used, kept, span_s)


def _learn_rise(memory: Memory, i: int, used: int, kept: float, span_s: float) -> None:
    """How far it rose at a stretch: above what it used some seconds ago, at any pace of samples."""
    rise = used - memory.low_bytes[i] if memory.low_bytes[i] >= 0.0 else 0.0
    memory.low_bytes[i] = used - max(0.0, rise) * kept
    faded = memory.rise_bytes[i] * (RISE_FORGOTTEN_S / (RISE_FORGOTTEN_S + span_s))
    memory.rise_bytes[i] = max(rise, faded)


def _follow_the_balloon(r: Round, i: int) -> None:
    """Notice progress towards the target, arrival, and that somebody else moves it."""
    figures, memory, now_s = r.figures, r.memory, r.now_s
    actual = figures.actual_bytes[i]
    before = memory.actual_bytes[i]
    if actual == ABSENT:
        return
    target = memory.target_bytes[i]
    if target != ABSENT:
        closer = abs(before - target) - abs(actual - target)
        if before == ABSENT or closer >= PROGRESS_BYTES_MIN:
            memory.progress_s[i] = now_s
        if abs(actual - target) <= ARRIVED_BYTES:
            # Where a stall was accepted, the target came to the balloon: that ends no quarantine.
            if memory.has_arrived[i] == 0 and now_s >= memory.stalled_until_s[i]:
                memory.stall_retry_s[i] = 0.0
            memory.has_arrived[i] = 1
        elif memory.has_arrived[i] == 1 and _is_void(r, i, target, actual):
            memory.target_bytes[i] = ABSENT
            # Within what its max still allows: not a VM that came back with another size.
            if max(actual, target) <= figures.max_bytes[i]:
                memory.stranger_s[i] = now_s
    elif before != ABSENT and _is_moved_by_others(r, i, actual - before):
        memory.stranger_s[i] = now_s
    memory.actual_bytes[i] = actual


def _is_moved_by_others(r: Round, i: int, rise: int) -> bool:
    """Whether a balloon that has no target of ours is moved, although it had come to rest.

    Up it may go by itself, if it is of that kind; but once somebody has moved it, any move shows
    that they are at it.
    """
    if is_left_to_others(r, i):
        return abs(rise) > BLUR_BYTES
    moved = rise < -BLUR_BYTES or (rise > BLUR_BYTES and _is_only_moved(r, i))
    return moved and r.memory.clean_samples[i] >= SETTLED_SAMPLES and not _is_in_grace(r, i)


def _is_only_moved(r: Round, i: int) -> bool:
    """Whether a balloon that rises was made to: deflate-on-oom is off, and no kernel boots."""
    return r.figures.deflates_on_oom[i] == 0 and not _is_in_grace(r, i)


def _is_in_grace(r: Round, i: int) -> bool:
    return r.now_s - r.memory.since_s[i] <= r.knobs.grace_s


def is_left_to_others(r: Round, i: int) -> bool:
    """Whether somebody else has set its target, not long ago."""
    return r.knobs.yields == 1 and r.now_s - r.memory.stranger_s[i] < r.knobs.yield_s


def _is_void(r: Round, i: int, target: int, actual: int) -> bool:
    """Whether a target that was reached does not stand any more.

    No balloon inflates by itself: somebody else has set another one. One that let go by itself is a
    sign of distress, and released; but beyond all that its guest may have, nothing is left to give,
    and one that cannot let go by itself has been raised by somebody else.

    One that was turned round goes on for a moment the way it went: past a target that is where it
    stood when that was sent. Where its guest is short, nobody waits to see.
    """
    memory = r.memory
    is_short = r.now_s - memory.distress_s[i] < TURN_ROUND_S
    is_little = target - TURN_ROUND_BYTES <= actual < target
    if is_little and r.now_s - memory.target_set_s[i] < TURN_ROUND_S and not is_short:
        return False
    if actual > target + BLUR_BYTES:
        return target >= r.figures.max_bytes[i] or _is_only_moved(r, i)
    return actual < target - BLUR_BYTES
