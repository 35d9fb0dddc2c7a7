"""The guard: what may be done of what a policy wishes.

Giving passes almost freely. Taking has to pass every rule here: figures fresh, guest calm, grace
over, one take a sample, floors, steps, cooldown, back-off, dead band.
"""

from aerostat.engine import codes
from aerostat.engine.believe import ARRIVED_BYTES, PERIOD_S_MIN, is_left_to_others
from aerostat.engine.columns import (
    RUN_MIGRATING,
    RUN_RUNNING,
    RUN_UNREACHABLE,
    STANDING_NONE,
    TAKES_FREE,
    TAKES_NOTHING,
    TAKES_PINNED,
    Decision,
    Round,
)
from aerostat.engine.confidence import CONFIDENCE_MIN, is_founded_on_old
from aerostat.engine.distress import BLAMED_S, is_on_trial, is_recovering
from aerostat.engine.knobs import Knobs
from aerostat.engine.page_cache import is_offered
from aerostat.policy.codes import (
    WHY_DISTRESS,
    WHY_FIXED,
    WHY_LOWERED_TO_MAX,
    WHY_ORDERED,
    WHY_RAISED_TO_MIN,
    WHY_SHUTDOWN,
    WHY_SURPLUS,
    WHY_TAKEN_FOR_HOST,
    WHY_TAKEN_FOR_OTHERS,
)
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB

TARGET_GRAIN_BYTES = MIB
"""Targets are whole MiB: the driver moves 256 pages at a time."""

NUDGE_BYTES = TARGET_GRAIN_BYTES
"""The least that a balloon moves by."""

TURN_S = 20.0
"""A take so soon after a raise is a turn."""

TURNS_MAX = 4.0
"""So many turns within a minute or so are hunting."""

BRAKE_S = 60.0
"""For so long a hunted guest is not taken from."""

TAKE_STEP_RATIO = 0.25
"""Of what may be taken in a second: so much is always worth a command."""

UNSPLIT_BYTES = 16 * MIB
"""With so much of what it gave in huge pages that nobody has split, the host has not got it."""

READ_RATIO = 0.25
"""Of what is taken of a guest, so much may have to be read in from the host's swap first."""

READ_BYTES = 16 * MIB
"""In a second; less than half of what a slow disk can: more was seen to stall a guest."""

HURRY_RATIO = 0.4
"""Pauses between takes shrink to this while somebody waits for the memory."""


def guard(r: Round, i: int) -> None:
    """Decide guest ``i``: write its target, the reason and what bound it."""
    ordered = r.estimates.ordered_bytes[i]
    wish = r.decision.wishes.wish_bytes[i]
    why = r.decision.wishes.why[i]
    hold(r.decision, i, ordered, codes.REASON_OF_WHY[why], codes.B_NONE)
    if r.estimates.is_movable[i] == 0:
        cannot_move(r, i)
    elif r.memory.is_outcome_unknown[i] == 1 and why not in (
        WHY_DISTRESS,
        WHY_SHUTDOWN,
        WHY_ORDERED,
    ):
        # Re-read first: this round's `actual` is that reading, the next round may act.
        hold(r.decision, i, ordered, codes.OUTCOME_UNKNOWN, codes.B_FRESHNESS)
        r.memory.is_outcome_unknown[i] = 0
    elif why == WHY_FIXED and r.knobs.is_guarded == 0:
        r.decision.target_bytes[i] = _to_grain(wish)
    elif wish > ordered:
        _give(r, i)
    elif wish < ordered:
        _take(r, i)
    elif r.is_host_short == 1 and _is_at_floor(r, i):
        bound = codes.B_MIN if ordered <= r.figures.min_bytes[i] else codes.B_FLOOR
        hold(r.decision, i, ordered, codes.AT_FLOOR, bound)
    elif r.estimates.is_confined[i] == 1 and ordered >= r.figures.max_bytes[i]:
        hold(r.decision, i, ordered, codes.CONFINED, codes.B_LIMIT)
    elif r.estimates.need_bytes[i] == ABSENT and r.estimates.is_closing[i] == 0:
        # Not "has enough": nobody knows.
        hold(r.decision, i, ordered, _why_not_believed(r, i), codes.B_FRESHNESS)


def _is_at_floor(r: Round, i: int) -> bool:
    """Whether its floor alone keeps it from being asked: it has no more, by a known need."""
    estimates = r.estimates
    known = estimates.need_bytes[i] != ABSENT and r.figures.standing[i] == STANDING_NONE
    return known and estimates.ordered_bytes[i] <= estimates.floor_bytes[i]


def _to_grain(size_bytes: int) -> int:
    return size_bytes // TARGET_GRAIN_BYTES * TARGET_GRAIN_BYTES


def hold(out: Decision, i: int, target: int, reason: int, bound: int) -> None:
    """Write a target that nothing urges, its reason, and what bound it."""
    out.target_bytes[i] = target
    out.reason[i] = reason
    out.bound[i] = bound
    out.is_urgent[i] = 0


def cannot_move(r: Round, i: int) -> None:
    """Say why guest ``i`` stays where it is."""
    ordered = r.estimates.ordered_bytes[i]
    if r.figures.is_managed[i] == 0:
        hold(r.decision, i, ordered, codes.NOT_MANAGED, codes.B_OPERATOR)
    elif r.figures.run[i] == RUN_UNREACHABLE:
        hold(r.decision, i, ordered, codes.UNREACHABLE, codes.B_FRESHNESS)
    elif r.figures.run[i] == RUN_MIGRATING:
        hold(r.decision, i, ordered, codes.MIGRATING, codes.B_NONE)
    elif r.figures.run[i] != RUN_RUNNING:
        hold(r.decision, i, ordered, codes.NOT_RUNNING, codes.B_NONE)
    elif r.figures.has_balloon[i] != 1:
        hold(r.decision, i, ordered, codes.NO_BALLOON, codes.B_NONE)
    elif r.estimates.is_stalled[i] == 1:
        _stalled(r, i)
    elif is_left_to_others(r, i):
        hold(r.decision, i, ordered, codes.YIELDED, codes.B_OPERATOR)
    else:
        hold(r.decision, i, ordered, codes.FIGURES_ABSENT, codes.B_FRESHNESS)


def _stalled(r: Round, i: int) -> None:
    """Accept that the balloon is stuck: set the target to ``actual``, which ends the driver's spin.

    A balloon stuck while *growing* keeps its target: the guest may still want what it was given.
    """
    ordered = r.estimates.ordered_bytes[i]
    actual = r.figures.actual_bytes[i]
    hold(r.decision, i, ordered, codes.STALL, codes.B_STALL)
    if r.knobs.is_guarded == 0:
        return
    if ordered >= actual:
        _nudge(r, i)
        return
    r.decision.target_bytes[i] = actual
    retry_s = max(r.knobs.stall_retry_s, 2 * r.memory.stall_retry_s[i])
    r.memory.stall_retry_s[i] = min(retry_s, r.knobs.stall_retry_s_max)
    r.memory.stalled_until_s[i] = r.now_s + r.memory.stall_retry_s[i]


def _nudge(r: Round, i: int) -> None:
    """Move a balloon that is to be empty a little, so that its size is told.

    A guest's driver tells its balloon's size after each move. A fresh kernel whose balloon is to be
    empty has nothing to move: after a reset QEMU goes on telling what the old kernel held, seen
    with QEMU 7.2. First it has time to come by itself. A driver that is really stuck loses nothing
    by it, and is not nudged again.
    """
    memory = r.memory
    nudged = r.figures.max_bytes[i] - NUDGE_BYTES
    if not r.estimates.ordered_bytes[i] > nudged >= r.figures.actual_bytes[i]:
        return
    if memory.stall_retry_s[i] == 0.0:
        memory.stall_retry_s[i] = r.knobs.stall_retry_s
        memory.stalled_until_s[i] = r.now_s + memory.stall_retry_s[i]
    elif r.now_s >= memory.stalled_until_s[i]:
        r.decision.target_bytes[i] = nudged
        r.decision.reason[i] = codes.NUDGE


def _give(r: Round, i: int) -> None:
    ordered = r.estimates.ordered_bytes[i]
    wish = r.decision.wishes.wish_bytes[i]
    why = r.decision.wishes.why[i]
    ceiling = r.figures.max_bytes[i]
    # Its max need not be whole MiB, and it must be possible to give all of it; nor need its min.
    target = ceiling if wish >= ceiling else max(_to_grain(wish), min(wish, r.figures.min_bytes[i]))
    urgent = why in (WHY_DISTRESS, WHY_SHUTDOWN, WHY_ORDERED) or r.memory.is_release_due[i] == 1
    if urgent and r.figures.actual_bytes[i] != ABSENT:
        # Somebody else may have raised it beyond its max: to let go of it takes nothing from it.
        target = max(target, r.figures.actual_bytes[i])
    pressing = urgent or why == WHY_RAISED_TO_MIN
    if not pressing and target - ordered < dead_band_bytes(r.figures.max_bytes[i], r.knobs):
        hold(r.decision, i, ordered, codes.DEAD_BAND, codes.B_DEAD_BAND)
        return
    r.decision.target_bytes[i] = max(target, ordered)
    r.memory.squeeze_from_bytes[i] = ABSENT
    r.memory.gave_s[i] = r.now_s
    r.decision.is_urgent[i] = 1 if urgent else 0
    if why == WHY_SURPLUS and is_offered(r, i):
        r.decision.reason[i] = codes.FOR_CACHE
    if r.memory.is_release_due[i] == 1:
        r.decision.reason[i] = codes.RESET
    if target >= ceiling:
        r.decision.bound[i] = codes.B_LIMIT if r.estimates.is_confined[i] == 1 else codes.B_MAX


def dead_band_bytes(max_bytes: int, knobs: Knobs) -> int:
    """The least change worth a command."""
    return max(knobs.dead_band_bytes, int(knobs.dead_band_ratio * max_bytes))


def worth_taking_bytes(max_bytes: int, knobs: Knobs) -> int:
    """The least take worth a command: of the largest guests no more than a part of one step.

    A share of max alone would be more than may be taken at once, and nothing would ever be.
    """
    least = max(NUDGE_BYTES, int(TAKE_STEP_RATIO * knobs.step_rate_max))
    return min(dead_band_bytes(max_bytes, knobs), least)


def _take(r: Round, i: int) -> None:
    if r.figures.standing[i] != STANDING_NONE:
        hold(r.decision, i, r.estimates.ordered_bytes[i], codes.HELD, codes.B_OPERATOR)
    elif _is_called_back(r, i):
        _call_back(r, i)
    elif not (_is_off_the_ladder(r, i) or _must_not_be_taken_from(r, i)):
        _take_as_far_as_allowed(r, i)


def _is_called_back(r: Round, i: int) -> bool:
    """Whether part of what it was given is still on its way, and not because it was in need."""
    estimates = r.estimates
    if (
        r.knobs.is_guarded == 0
        or estimates.is_distressed[i] == 1
        or r.memory.is_release_due[i] == 1
    ):
        return False
    is_quiet = r.now_s - r.memory.distress_s[i] >= r.knobs.distress_quiet_s
    gap = estimates.ordered_bytes[i] - r.figures.actual_bytes[i]
    return is_quiet and gap > ARRIVED_BYTES and r.memory.has_arrived[i] == 0


def _call_back(r: Round, i: int) -> None:
    """Lower the target as far as its balloon has not followed it up: nothing leaves the guest.

    So none of the rules for takes is asked. What lies below what it holds is a take, for later.
    """
    actual = -_to_grain(-r.figures.actual_bytes[i])
    least = max(actual, r.figures.min_bytes[i], r.decision.wishes.wish_bytes[i])
    r.decision.target_bytes[i] = min(-_to_grain(-least), r.estimates.ordered_bytes[i])
    r.decision.reason[i] = codes.CALLED_BACK


def _take_as_far_as_allowed(r: Round, i: int) -> None:
    ordered = r.estimates.ordered_bytes[i]
    wish = r.decision.wishes.wish_bytes[i]
    floor = r.estimates.floor_bytes[i] if r.knobs.keeps_floors == 1 else TARGET_GRAIN_BYTES
    r.decision.bound[i] = codes.B_NONE
    if wish <= floor:  # also where the policy went by it already
        wish = floor
        r.decision.bound[i] = codes.B_MIN if floor == r.figures.min_bytes[i] else codes.B_FLOOR
    step = _step_bytes(r, i)
    if ordered - wish > step:
        wish = ordered - step
        r.decision.bound[i] = codes.B_STEP
        if is_spared_for_swap(r, i):
            r.decision.bound[i] = codes.B_HOST_SWAP
    target = -_to_grain(-wish)  # upwards: never a grain more than allowed is taken
    if ordered - target < worth_taking_bytes(r.figures.max_bytes[i], r.knobs):
        reason = codes.DEAD_BAND
        if r.decision.bound[i] == codes.B_HOST_SWAP:
            reason = codes.IN_HOST_SWAP
        elif r.decision.bound[i] == codes.B_STEP:
            is_left = r.figures.takes[i] == TAKES_FREE
            reason = codes.LEFT_TO_HOST if is_left else codes.COOLDOWN
        elif r.decision.bound[i] != codes.B_NONE:
            reason = codes.AT_FLOOR
        hold(r.decision, i, ordered, reason, r.decision.bound[i] or codes.B_DEAD_BAND)
        return
    r.decision.target_bytes[i] = target
    if r.estimates.is_confined[i] == 1 and r.decision.wishes.why[i] == WHY_LOWERED_TO_MAX:
        r.decision.reason[i] = codes.LOWERED_TO_LIMIT


def note_take(r: Round, i: int) -> None:
    """Remember what the take was founded on, and whether it went into what the guest uses."""
    memory, target = r.memory, r.decision.target_bytes[i]
    memory.cache_worth_bytes[i] = min(memory.cache_worth_bytes[i], target)
    memory.take_clean_s[i] = memory.clean_s[i]
    # Figures that come at uneven times may found two takes within a second.
    before = memory.took_bytes[i] if r.now_s - memory.take_s[i] < PERIOD_S_MIN else 0
    memory.took_bytes[i] = before + r.estimates.ordered_bytes[i] - target
    if r.now_s - memory.take_s[i] > BLAMED_S:
        memory.take_from_bytes[i] = r.estimates.ordered_bytes[i]
        memory.take_missed_rate[i] = memory.missed_rate[i]
    if r.now_s - memory.gave_s[i] < TURN_S:
        memory.turns[i] += 1.0
    if target < memory.used_bytes[i] + r.estimates.headroom_bytes[i] // 2:
        memory.squeeze_s[i] = r.now_s
        if memory.squeeze_from_bytes[i] == ABSENT:
            memory.squeeze_from_bytes[i] = r.estimates.ordered_bytes[i]
        is_within_due = r.estimates.ordered_bytes[i] <= r.estimates.due_bytes[i]
        for_others = r.decision.wishes.why[i] == WHY_TAKEN_FOR_OTHERS
        memory.trial_from_bytes[i] = ABSENT
        if is_within_due and for_others:
            memory.trial_from_bytes[i] = r.estimates.ordered_bytes[i]
    else:
        # Figures of after the last try show that more than that lies free: it did without.
        memory.trial_from_bytes[i] = ABSENT


def _is_off_the_ladder(r: Round, i: int) -> bool:
    """Whether its balloon is to take nothing, or would give the host nothing."""
    ordered, takes = r.estimates.ordered_bytes[i], r.figures.takes[i]
    if takes == TAKES_PINNED:
        hold(r.decision, i, ordered, codes.PINNED, codes.B_NONE)
        return True
    if takes == TAKES_NOTHING:
        hold(r.decision, i, ordered, codes.LEFT_TO_HOST, codes.B_OPERATOR)
        return True
    return False


def _must_not_be_taken_from(r: Round, i: int) -> bool:
    if _is_not_believed(r, i):
        return True
    reason, bound = _why_not_now(r, i)
    if reason == -1 and r.knobs.takes_once_a_sample == 1 and _has_given_by_this_sample(r, i):
        reason, bound = codes.COOLDOWN, codes.B_STEP
    elif reason == -1 and r.knobs.brakes == 1 and _is_hunting(r, i):
        reason, bound = codes.OSCILLATING, codes.B_STEP
    if reason == -1:
        return False
    hold(r.decision, i, r.estimates.ordered_bytes[i], reason, bound)
    return True


def is_likely_refused(r: Round, i: int) -> bool:
    """Whether a take would be refused, and for longer than until the next sample."""
    if r.figures.takes[i] in (TAKES_PINNED, TAKES_NOTHING) or _why_not_believed_enough(r, i) != -1:
        return True
    return _why_not_now(r, i)[0] != -1 or (r.knobs.brakes == 1 and _is_hunting(r, i))


def _why_not_now(r: Round, i: int) -> tuple[int, int]:
    """What speaks against taking from it whatever was taken last, and its bound; else -1."""
    if r.figures.is_backing_up[i] == 1:
        return codes.BACKING_UP, codes.B_NONE
    if r.knobs.keeps_grace == 1 and r.now_s - r.memory.since_s[i] < r.knobs.grace_s:
        return codes.GRACE, codes.B_NONE
    if r.estimates.is_distressed[i] == 1 or not _may_be_taken_from(r, i):
        return codes.PRESSURE, codes.B_PRESSURE
    if r.now_s < r.memory.stalled_until_s[i]:
        return codes.STALL, codes.B_STALL
    return -1, codes.B_NONE


def _has_given_by_this_sample(r: Round, i: int) -> bool:
    """Whether the last take is on its way, or its sample is the one that founded that."""
    above = r.figures.actual_bytes[i] > r.estimates.ordered_bytes[i] + ARRIVED_BYTES
    # A balloon that arrived and then let go by itself is not on its way any more.
    in_flight = above and r.memory.has_arrived[i] == 0
    same_sample = r.memory.take_clean_s[i] == r.memory.clean_s[i]
    return in_flight or (same_sample and not _may_follow_up(r, i))


def _is_not_believed(r: Round, i: int) -> bool:
    """Whether too little is known of it to take memory."""
    reason = _why_not_believed_enough(r, i)
    if reason == -1:
        return False
    hold(r.decision, i, r.estimates.ordered_bytes[i], reason, codes.B_FRESHNESS)
    return True


def _why_not_believed_enough(r: Round, i: int) -> int:
    if r.memory.used_bytes[i] == ABSENT or r.estimates.is_usable[i] == 0:
        return _why_not_believed(r, i)
    if r.knobs.checks_freshness == 1 and r.estimates.confidence[i] < CONFIDENCE_MIN:
        return codes.UNSURE
    if r.knobs.checks_freshness == 1 and is_founded_on_old(r, i):
        return codes.BLURRED
    return -1


def _may_follow_up(r: Round, i: int) -> bool:
    """Whether a host below its reserve may ask again before the guest reports: it got too little.

    A part of what lies free in a guest the host never held, or has already. What came is the host's
    own measure, fresh in every round; what is asked for on top is only what lay free by the last
    sample, less all that was ordered since. Where the rest hides in huge pages, more is in vain.
    """
    is_for_host = r.is_below_reserve == 1 and r.decision.wishes.why[i] == WHY_TAKEN_FOR_HOST
    if not is_for_host or r.figures.held_bytes[i] == ABSENT:
        return False
    is_all_back = r.figures.unsplit_bytes[i] < UNSPLIT_BYTES
    return is_all_back and r.estimates.harmless_bytes[i] > 0


def _why_not_believed(r: Round, i: int) -> int:
    """Doubted; or absent, where it never told, or tells no more, what is available; else old."""
    if r.estimates.is_usable[i] == 1 and r.estimates.is_doubted[i] == 1:
        return codes.DOUBTED
    is_silent = r.figures.has_sample[i] == 1 and r.figures.available_bytes[i] == ABSENT
    if is_silent or r.memory.used_bytes[i] == ABSENT:
        return codes.FIGURES_ABSENT
    return codes.FIGURES_STALE


def _is_hunting(r: Round, i: int) -> bool:
    """Given and taken again and again: whatever drives that, moving memory is not the answer."""
    return r.memory.turns[i] >= TURNS_MAX and r.now_s - r.memory.take_s[i] < BRAKE_S


def _may_be_taken_from(r: Round, i: int) -> bool:
    """Calm guests, and those that have just recovered and hold much that lies free."""
    if r.estimates.is_calm[i] == 1:
        return True
    return r.memory.healthy_samples[i] > 0 and is_recovering(r, i)


def is_spared_for_swap(r: Round, i: int) -> bool:
    """Part of it lies in the host's swap, and would only be read in to be thrown away.

    Not where a limit of its own put it there: it is read again and again anyway. Nor on a host that
    runs out: what is in RAM of it is worth more than the reading. Where the host compresses or
    swaps by the ladder, it takes what is in RAM of it by itself, and without the reading.
    """
    swapped = r.estimates.is_in_host_swap[i] == 1
    runs_out = r.is_host_short == 1 and r.backing_bytes == 0
    return swapped and r.estimates.is_confined[i] == 0 and not runs_out


def _cheaply_read_bytes(r: Round, i: int) -> int:
    """What is taken in a second makes the host read ``READ_BYTES``, if what it swapped lies free.

    A guest waits for each of these pages, and with it whatever runs on that processor of it. Where
    few of the pages are such, the host has the others at once.
    """
    free = max(0, r.estimates.ordered_bytes[i] - max(0, r.memory.used_bytes[i]))
    swapped = max(1, min(r.memory.host_swap_bytes[i], free))
    if swapped <= READ_RATIO * free:
        return free
    taken = int(READ_BYTES * (free / swapped))
    if r.now_s - r.memory.take_s[i] < PERIOD_S_MIN:
        taken -= r.memory.took_bytes[i]
    return taken if taken >= worth_taking_bytes(r.figures.max_bytes[i], r.knobs) else 0


def _is_spared(r: Round, i: int) -> bool:
    """Whether the last take hurt not long ago. Who holds others' due is asked again at one pace."""
    memory = r.memory
    if r.estimates.is_hoarding[i] == 0:
        return r.now_s < memory.backoff_until_s[i]
    return r.now_s < memory.backoff_until_s[i] - memory.backoff_s[i] + r.knobs.stall_retry_s


def _step_bytes(r: Round, i: int) -> int:
    """How much may be taken now: what lies free at once, what is used for something slowly.

    Part of what lies free in a guest may lie in the host's swap, and which part nobody knows: then
    that is slow, too.
    """
    knobs = r.knobs
    if knobs.limits_steps == 0:
        return r.estimates.ordered_bytes[i]
    harmless = r.estimates.harmless_bytes[i]
    # What a take got wrong shows in the next figures: so much a second, however often they come.
    period_s = min(max(r.memory.sample_period_s[i], PERIOD_S_MIN), knobs.figures_age_s_max)
    most = int(knobs.step_rate_max * period_s)
    if is_spared_for_swap(r, i):
        harmless = min(harmless, _cheaply_read_bytes(r, i)) if r.backing_bytes > 0 else 0
    for_others = r.decision.wishes.why[i] == WHY_TAKEN_FOR_OTHERS
    pause_s = knobs.cooldown_s * (HURRY_RATIO if for_others else 1.0)
    resting = r.now_s - r.memory.take_s[i] < pause_s or is_on_trial(r.memory, i, r.now_s)
    hurt = knobs.backs_off == 1 and _is_spared(r, i)
    is_left = r.figures.takes[i] == TAKES_FREE
    again = knobs.takes_once_a_sample == 1 and r.memory.take_clean_s[i] == r.memory.clean_s[i]
    if resting or hurt or is_left or again or r.estimates.is_calm[i] == 0:
        return min(harmless, most)
    # A small guest's steps are as large as the least that is worth a command.
    slow = int(knobs.step_ratio_max * r.figures.max_bytes[i])
    slow = max(slow, dead_band_bytes(r.figures.max_bytes[i], knobs))
    return min(harmless + min(slow, knobs.step_rate_max), most)
