"""What must hold in every round, judged from outside: by the world's truth and the plan alone.

Nothing here calls the engine's own invariants or reads its memory. A rule speaks only where the
case is clear: what the guest showed, not what one might suspect.
"""

from aerostat.engine.columns import RUN_RUNNING, STANDING_NONE
from aerostat.policy.columns import ABSENT, IntColumn
from aerostat.policy.water import fill
from aerostat.sim.chaos.columns import VIOLATIONS_MAX, World
from aerostat.sim.chaos.rules import (
    ABOVE_MAX,
    BELOW_MIN,
    CHURN,
    DISTRESS_UNSERVED,
    FOUNDED_ON_OLD,
    NOT_MOVABLE,
    OVER_SUPPLY,
    SAME_SAMPLE,
    SHRUNK_IN_DISTRESS,
    TAKEN_AGAINST_ORDERS,
    TAKEN_TOGETHER,
    TAKEN_WHILE_BACKED_UP,
    TAKEN_WHILE_CLOSING,
    UNBELIEVABLE,
)
from aerostat.sim.chaos.show import CRITICAL, HARD, SOFT, has_sample
from aerostat.units import MIB

FIGURES_AGE_S_MAX = 5.0
"""The engine's default: no parameter of a chaos world changes it."""
NEXT_TO_NOTHING = 0.025
NEXT_TO_NOTHING_BYTES = 10 * MIB
HOST_RATE = 2048 * MIB
"""The engine's default: so much a second, at the longest period of figures it goes by."""
THRASHING_RATE = 1.1 * MIB
REST_BYTES = 4 * MIB
"""Distress is judged here only while the balloon rests: moving, figures belong to two instants."""
WORTH_BYTES = 4 * MIB
"""Each guest's part of what is free, below which nobody is expected to be raised."""
TRIAL_S = 5.0
"""For so long the engine may keep aside for a guest what it has just taken from it."""
BURST_RATIO = 0.05
CHURN_RATIO_MAX = 8.0
"""Of max: so much may be commanded for one guest within a minute, to and fro."""
ROUNDING_BYTES = 64 * 1024
SHUTDOWN_S = 300.0
"""The engine's default, too."""


def check(world: World, now_s: float, tick: int) -> None:
    """Judge one round's plan; violations are noted in ``world.verdicts``."""
    _observe(world, now_s, tick)
    for i in range(len(world.guests.is_here)):
        _observe_shutdown(world, i, now_s)
    _note_dues(world)
    _check_gives(world, tick)
    _check_takes(world, tick)
    for i in range(len(world.guests.is_here)):
        plan = world.commands.plan_bytes[i]
        if world.commands.is_under_way[i] == 1:
            continue  # nothing will be sent
        if plan != ABSENT:
            _check_bounds(world, i, plan, tick)
            if plan < min(ordered_bytes(world, i), actual_bytes(world, i)):
                _check_take(world, i, now_s, tick)
        _check_distress(world, i, now_s, tick)
        _note_direction(world, i, now_s)


def violate(world: World, tick: int, guest: int, rule: int, found: int, allowed: int) -> None:
    """Note a violation."""
    verdicts = world.verdicts
    at = verdicts.total[0]
    verdicts.total[0] += 1
    if at < VIOLATIONS_MAX:
        verdicts.tick[at] = tick
        verdicts.guest[at] = guest
        verdicts.rule[at] = rule
        verdicts.found[at] = found
        verdicts.allowed[at] = allowed


def actual_bytes(world: World, i: int) -> int:
    """What it holds as far as can be known: as last read."""
    return max(0, world.watch.last_actual_bytes[i])


def ordered_bytes(world: World, i: int) -> int:
    """The last target that counts, or what it holds."""
    known = world.commands.known_bytes[i]
    return known if known != ABSENT else actual_bytes(world, i)


def committed_bytes(world: World, i: int) -> int:
    """What counts against the supply: held, asked for, or measured by the host."""
    guests = world.guests
    if guests.is_here[i] == 0:
        return 0
    held = actual_bytes(world, i)
    held = max(held, world.commands.known_bytes[i])
    if world.faults.is_unreachable[i] == 0:
        allowance = 160 * MIB + guests.ceiling_bytes[i] // 32
        held = max(held, guests.held_bytes[i] - allowance)
    return held


def _observe(world: World, now_s: float, tick: int) -> None:
    for i in range(len(world.guests.is_here)):
        if world.guests.is_here[i] == 0:
            continue
        if has_sample(world, i) and world.watch.seen_s[i] < world.guests.sample_s[i]:
            _observe_sample(world, i)
            _observe_rest(world, i, now_s)
            world.watch.seen_s[i] = now_s
        if world.faults.is_unreachable[i] == 0 and world.faults.hides_actual[i] == 0:
            actual = world.guests.actual_bytes[i]
            _count_moves(world, i, actual, tick)
            world.watch.last_actual_bytes[i] = actual
            known = world.commands.known_bytes[i]
            if known != ABSENT and abs(actual - known) <= 2 * MIB:
                world.watch.has_arrived[i] = 1
            elif world.watch.has_arrived[i] == 1 and actual < known - REST_BYTES:
                # No balloon inflates by itself: that target was lost, and an older one stands.
                world.commands.known_bytes[i] = ABSENT
            elif world.watch.has_arrived[i] == 1 and _is_beyond_all(world, i, actual, known):
                world.commands.known_bytes[i] = ABSENT


def _observe_rest(world: World, i: int, now_s: float) -> None:
    """Whether this sample tells what it uses: its balloon has not moved since it was last read."""
    guests, watch, faults = world.guests, world.watch, world.faults
    watch.gap_s[i] = now_s - watch.seen_s[i]
    if faults.is_silent[i] != 0 or faults.hides_actual[i] == 1 or faults.is_unreachable[i] == 1:
        return
    if abs(guests.actual_bytes[i] - actual_bytes(world, i)) <= REST_BYTES:
        watch.clean_seen_s[i] = now_s


def _is_beyond_all(world: World, i: int, actual: int, known: int) -> bool:
    """Whether its balloon let go beyond all that it may have: no distress can be served there.

    One that cannot let go by itself was raised by somebody else: that target is no more, either.
    """
    beyond = known >= world.guests.ceiling_bytes[i] or world.guests.deflates_on_oom[i] == 0
    return beyond and actual > known + REST_BYTES


def _observe_shutdown(world: World, i: int, now_s: float) -> None:
    watch = world.watch
    if now_s - watch.asked_s[i] >= SHUTDOWN_S:
        watch.asked_from_bytes[i] = ABSENT
    elif watch.asked_from_bytes[i] == ABSENT:
        watch.asked_from_bytes[i] = committed_bytes(world, i)


def _observe_sample(world: World, i: int) -> None:
    guests, watch = world.guests, world.watch
    if world.faults.is_silent[i] != 0 or world.faults.hides_actual[i] == 1:
        watch.is_hungry[i] = 0
        watch.is_thrashing[i] = 0
        return
    available = guests.sample_available_bytes[i]
    little = max(NEXT_TO_NOTHING_BYTES, int(NEXT_TO_NOTHING * guests.actual_bytes[i]))
    read_back = guests.sample_swap_in_bytes[i] - watch.seen_swap_in_bytes[i]
    pushed_out = guests.sample_swap_out_bytes[i] - watch.seen_swap_out_bytes[i]
    span_s = guests.sample_s[i] - watch.seen_sample_s[i]
    starves = pushed_out > THRASHING_RATE * span_s and available < little
    watch.is_hungry[i] = watch.is_hungry[i] + 1 if starves else 0
    thrashes = read_back > THRASHING_RATE * span_s and available < 12 * MIB
    watch.is_thrashing[i] = watch.is_thrashing[i] + 1 if thrashes else 0
    watch.seen_swap_in_bytes[i] = guests.sample_swap_in_bytes[i]
    watch.seen_swap_out_bytes[i] = guests.sample_swap_out_bytes[i]
    watch.seen_sample_s[i] = guests.sample_s[i]


def _is_movable(world: World, i: int) -> bool:
    guests, faults = world.guests, world.faults
    reached = faults.is_unreachable[i] == 0 and faults.hides_actual[i] == 0
    can = guests.has_balloon[i] == 1 and guests.is_managed[i] == 1
    return guests.is_here[i] == 1 and guests.run[i] == RUN_RUNNING and reached and can


def is_in_clear_distress(world: World, i: int, now_s: float) -> bool:
    """Whether what it showed leaves no doubt that it is short of memory now."""
    watch = world.watch
    known = world.commands.known_bytes[i]
    actual = world.guests.actual_bytes[i]
    can_grow = known != ABSENT and known < world.guests.ceiling_bytes[i]
    can_grow = can_grow and world.guests.deflates_on_oom[i] != 0
    if can_grow and watch.has_arrived[i] == 1 and actual > known + 5 * MIB:
        return True  # its balloon let go by itself
    if now_s - watch.seen_s[i] > 2.0 + world.tick_s or not has_sample(world, i):
        return False
    if world.faults.is_silent[i] != 0:
        return False
    if known != ABSENT and abs(actual - known) > REST_BYTES:
        return False
    hungry = watch.is_hungry[i] >= 2 and watch.is_squeezed[i] == 0
    return hungry or watch.is_thrashing[i] >= 3


def _check_bounds(world: World, i: int, plan: int, tick: int) -> None:
    guests = world.guests
    ordered, actual = ordered_bytes(world, i), actual_bytes(world, i)
    if not _is_movable(world, i):
        violate(world, tick, i, NOT_MOVABLE, plan, ordered)
    ceiling = max(guests.ceiling_bytes[i], ordered, actual)
    if plan > ceiling:
        violate(world, tick, i, ABOVE_MAX, plan, ceiling)
    floor = max(1, min(guests.min_bytes[i], guests.ceiling_bytes[i], ordered, actual))
    if plan < floor:
        violate(world, tick, i, BELOW_MIN, plan, floor)


def _check_take(world: World, i: int, now_s: float, tick: int) -> None:
    watch, plan = world.watch, world.commands.plan_bytes[i]
    if watch.asked_from_bytes[i] != ABSENT:
        violate(world, tick, i, TAKEN_WHILE_CLOSING, plan, ordered_bytes(world, i))
    if world.guests.standing[i] != STANDING_NONE:
        violate(world, tick, i, TAKEN_AGAINST_ORDERS, plan, ordered_bytes(world, i))
    if world.guests.is_backing_up[i] == 1:
        violate(world, tick, i, TAKEN_WHILE_BACKED_UP, plan, ordered_bytes(world, i))
    if is_in_clear_distress(world, i, now_s):
        violate(world, tick, i, SHRUNK_IN_DISTRESS, plan, ordered_bytes(world, i))
    age_s = now_s - watch.seen_s[i]
    if not has_sample(world, i) or world.faults.is_silent[i] != 0:
        violate(world, tick, i, UNBELIEVABLE, ABSENT, ABSENT)
    elif age_s > FIGURES_AGE_S_MAX + world.tick_s:
        violate(world, tick, i, UNBELIEVABLE, int(age_s), int(FIGURES_AGE_S_MAX))
    founded_s = now_s - watch.clean_seen_s[i]
    period_s = min(FIGURES_AGE_S_MAX, max(1.0, watch.gap_s[i]))
    most_s = FIGURES_AGE_S_MAX + 2.0 * period_s + world.tick_s
    # Where somebody else sets targets, a raise of our own may lie below what they raised it to.
    if founded_s > most_s and watch.stranger_s[i] < 0.0:
        violate(world, tick, i, FOUNDED_ON_OLD, int(founded_s), int(most_s))
    _check_founding(world, i, tick)


def _check_founding(world: World, i: int, tick: int) -> None:
    """No sample justifies two takes.

    Only a host below its reserve asks again for what did not come, and only for what lay free: all
    takes on one sample together leave the guest what it used by it.
    """
    watch, plan = world.watch, world.commands.plan_bytes[i]
    if watch.take_seen_s[i] != watch.seen_s[i]:
        watch.take_seen_s[i] = watch.seen_s[i]
        watch.take_from_bytes[i] = ordered_bytes(world, i)
        return
    used = watch.take_from_bytes[i] - world.guests.sample_available_bytes[i]
    is_short = world.host.state[0] in (SOFT, HARD, CRITICAL)
    if plan < used or not is_short:
        violate(world, tick, i, SAME_SAMPLE, plan, max(used, 0))


def free_bytes(world: World, lent: int) -> int:
    """What may be given: what the supply leaves over what is held, if the host has it.

    ``lent`` does not count against the supply.
    """
    host = world.host
    if host.supply_bytes[0] == ABSENT:
        return 0
    left = max(0, host.supply_bytes[0] + lent - host.reserved_bytes[0])
    for i in range(len(world.guests.is_here)):
        left -= committed_bytes(world, i)
    return max(0, min(left, host.physical_bytes[0]))


def _check_gives(world: World, tick: int) -> None:
    """What is given fits what is free; who shuts down may be lent more, if the host has it."""
    given = 0
    lent = 0  # before, at most
    loan = 0  # now, at most
    for i in range(len(world.guests.is_here)):
        plan, held = world.commands.plan_bytes[i], committed_bytes(world, i)
        if plan != ABSENT and world.commands.is_under_way[i] == 0:
            given += max(0, plan - held)
        if world.watch.asked_from_bytes[i] != ABSENT and world.guests.is_here[i] == 1:
            lent += max(0, held - world.watch.asked_from_bytes[i])
            loan += max(0, plan - held)
    free = free_bytes(world, lent)
    if world.host.supply_bytes[0] != ABSENT:
        free = min(free + loan, max(0, world.host.physical_bytes[0]))
    if given > free + ROUNDING_BYTES:
        violate(world, tick, ABSENT, OVER_SUPPLY, given, free)


def _check_takes(world: World, tick: int) -> None:
    """What is taken in one round from all guests together."""
    taken = 0
    for i in range(len(world.guests.is_here)):
        plan, least = (
            world.commands.plan_bytes[i],
            min(ordered_bytes(world, i), actual_bytes(world, i)),
        )
        if plan != ABSENT and world.commands.is_under_way[i] == 0:
            taken += max(0, least - plan)
    most = int(HOST_RATE * FIGURES_AGE_S_MAX)
    if taken > most:
        violate(world, tick, ABSENT, TAKEN_TOGETHER, taken, most)


def _check_distress(world: World, i: int, now_s: float, tick: int) -> None:
    """Distress beats everything: raised in this round, by its part of what is free.

    Of what others are due, only as far as it is due that itself.
    """
    ordered = ordered_bytes(world, i)
    lacks = world.guests.ceiling_bytes[i] - max(ordered, committed_bytes(world, i))
    if not _is_movable(world, i) or lacks < WORTH_BYTES:
        return
    if not is_in_clear_distress(world, i, now_s):
        return
    weights = 0
    for other in range(len(world.guests.is_here)):
        if world.guests.is_here[other] == 1:
            weights += world.guests.weight[other]
    free = free_bytes(world, 0) - _kept_aside_bytes(world, now_s)
    if world.watch.asked_from_bytes[i] != ABSENT:
        # Who is about to be gone comes after those in distress: a loan is promised, and no part.
        # Not all signs of distress are clear ones, so that all is counted that others are given.
        free -= _given_first_bytes(world)
    own = max(0, world.watch.due_bytes[i] - committed_bytes(world, i))
    part = max(min(free, own), free - _due_to_others_bytes(world, i))
    part = part * world.guests.weight[i] // weights
    plan = world.commands.plan_bytes[i]
    if part >= WORTH_BYTES and plan <= ordered:  # ABSENT is below everything
        violate(world, tick, i, DISTRESS_UNSERVED, max(plan, ordered), ordered + part)


def _given_first_bytes(world: World) -> int:
    """What this round gives to those that are not shutting down."""
    given = 0
    for i in range(len(world.guests.is_here)):
        if world.watch.asked_from_bytes[i] == ABSENT and world.commands.is_under_way[i] == 0:
            given += max(0, world.commands.plan_bytes[i] - committed_bytes(world, i))
    return given


def _note_dues(world: World) -> None:
    """What each guest is due, at the least and at the most.

    A balloon that does not rest may be planned around, or not, each by itself: others are due the
    least where all of those claim the most, and the other way round. One that is due anything is
    itself not planned around.
    """
    watch = world.watch
    _fill_dues(world, watch.due_bytes, 1, ABSENT)
    _fill_dues(world, watch.due_bytes_max, 0, ABSENT)
    for i in range(len(world.guests.is_here)):
        if _may_be_planned_around(world, i):
            _fill_dues(world, watch.due_own_bytes, 1, i)
            watch.due_bytes[i] = watch.due_own_bytes[i]
            _fill_dues(world, watch.due_own_bytes, 0, i)
            watch.due_bytes_max[i] = watch.due_own_bytes[i]


def _may_be_planned_around(world: World, i: int) -> bool:
    rests = abs(actual_bytes(world, i) - ordered_bytes(world, i)) <= REST_BYTES
    rests = rests and world.watch.stranger_s[i] < 0.0  # else it may be left to them
    return _is_movable(world, i) and not rests


def _fill_dues(world: World, due: IntColumn, claim_most: int, but_for: int) -> None:
    """Dues where those that may be planned around, all ``but_for`` one, claim most, or least."""
    cap = world.watch.due_cap_bytes
    for i in range(len(world.guests.is_here)):
        held = committed_bytes(world, i)
        due[i] = held
        cap[i] = held
        if not _is_movable(world, i):
            continue
        most = world.guests.ceiling_bytes[i]
        least = min(max(1, world.guests.min_bytes[i]), most)
        if i == but_for or not _may_be_planned_around(world, i):
            due[i] = least
            cap[i] = most
        elif claim_most == 1:
            due[i] = max(held, least)
            cap[i] = max(held, most)
        else:
            due[i] = min(held, least)
            cap[i] = min(held, most)
    host = world.host
    kept_back = int(BURST_RATIO * max(0, host.supply_bytes[0]))
    supply = max(0, host.supply_bytes[0] - host.reserved_bytes[0] - kept_back)
    fill(due, cap, world.guests.weight, 0, len(due), supply)


def _due_to_others_bytes(world: World, i: int) -> int:
    """What all but guest ``i`` could still claim of their dues."""
    lacks = 0
    for other in range(len(world.guests.is_here)):
        if other != i and world.guests.is_here[other] == 1:
            lacks += max(0, world.watch.due_bytes_max[other] - committed_bytes(world, other))
    return lacks


def _kept_aside_bytes(world: World, now_s: float) -> int:
    """What was taken so lately that it may still be kept for whom it was taken from."""
    aside = 0
    for i in range(len(world.guests.is_here)):
        if now_s - world.watch.taken_s[i] <= TRIAL_S and world.guests.is_here[i] == 1:
            aside += max(0, world.watch.taken_from_bytes[i] - committed_bytes(world, i))
    return aside


def _note_direction(world: World, i: int, now_s: float) -> None:
    """Whether it was taken from since it was last given."""
    plan = world.commands.plan_bytes[i]
    if plan == ABSENT or world.host.is_enforcing[0] == 0 or world.faults.refuses[i] == 1:
        return
    if plan < ordered_bytes(world, i):
        world.watch.is_squeezed[i] = 1
        world.watch.taken_s[i] = now_s
        world.watch.taken_from_bytes[i] = ordered_bytes(world, i)
    elif plan > actual_bytes(world, i) + MIB:
        world.watch.is_squeezed[i] = 0


def _count_moves(world: World, i: int, actual: int, tick: int) -> None:
    """Churn: how far its balloon went within one minute, to and fro."""
    watch = world.watch
    if tick % int(60.0 / world.tick_s) == 0:
        watch.moved_bytes[i] = 0
    if watch.last_actual_bytes[i] == ABSENT:
        return
    moved = abs(actual - watch.last_actual_bytes[i])
    most = int(CHURN_RATIO_MAX * world.guests.max_bytes[i])
    if watch.moved_bytes[i] <= most < watch.moved_bytes[i] + moved:
        violate(world, tick, i, CHURN, watch.moved_bytes[i] + moved, most)
    watch.moved_bytes[i] += moved
    watch.moved_in_all_bytes[i] += moved
    watch.moved_bytes_max[i] = max(watch.moved_bytes_max[i], watch.moved_bytes[i])
