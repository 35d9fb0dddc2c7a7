"""``adaptive``: memory follows need, by weighted max-min fairness, and moves only when it must.

The supply is shared in tiers: everybody's min; then each one's working set and where it is heading
(for a guest in distress, much more than it has); then headroom; then what it needed a while ago;
then surplus, by weight and by how far each has risen lately, because memory in a guest's hands
serves its next burst without any delay. A guest in distress is released to its max out of all
that needs leave over.

Whoever has less than it needs is raised. Memory is taken only as far as somebody else's need or the
host calls for it, from those with the greatest excess first. Where that is not enough, calm guests
are asked for memory they may not be using, in small steps that end where it hurts (the guard sees
to that). A guest within its due (its share by weight, if everybody wanted all it can have) gives
others only what lies free in it, and what it seems to have forgotten; for a host that is short
itself everybody gives. What is above need is evened out only when it is very uneven, and
only at the expense of guests that have been calm for long.
"""

from aerostat.policy.codes import (
    WHY_DEMAND,
    WHY_DISTRESS,
    WHY_LOWERED_TO_MAX,
    WHY_NOTHING,
    WHY_RAISED_TO_MIN,
    WHY_SURPLUS,
    WHY_TAKEN_FOR_HOST,
    WHY_TAKEN_FOR_OTHERS,
)
from aerostat.policy.columns import ABSENT, Desk, Host, IntColumn, Needs, Wishes
from aerostat.policy.water import drain, fill, pour, total_of
from aerostat.units import MIB

RISE_GRAIN_BYTES = 4 * MIB
"""Likely rises count as surplus weights in grains of this."""

UNSEEN_RISE_DIVISOR = 32
"""A guest that has not risen yet may: by so small a part of max, and by that much more if it has.

With equal parts of max alone (as if nobody ever learned) the surplus lies with the big; with rises
alone a first burst meets nothing. 16 to 64 come to the same, on a trace and on drawn fleets.
"""

SURPLUS_WEIGHT_MAX = 1 << 22
"""Keeps the arithmetic within 64 bits: a level is at most 2^40, see ``water.LEVEL_SCALE``."""

SURPLUS_RATIO_MIN = 0.08
"""Surplus is evened out only beyond this share of max: less is not worth a balloon's while."""

TAKE_WORTH_BYTES = 8 * MIB
"""What a balloon moves for at the least (the guard's dead band, of guests that are not large)."""

GIFT_RATIO_MIN = 0.02
"""Guests with less than they needed a while ago get what nobody holds from this share of max on."""


def adaptive_wishes(needs: Needs, host: Host, desk: Desk, out: Wishes) -> None:
    """Write the wish of every guest of one host into ``out``.

    Args:
        needs: the guests of all hosts.
        host: which of them to share among, and how much.
        desk: room for intermediate results.
        out: receives wishes; those of growing guests may exceed what is free right now.
    """
    first, end = host.first, host.end
    ordinary_bytes = host.supply_bytes - host.burst_bytes
    _fair_shares(needs, first, end, ordinary_bytes, host.backing_bytes, desk)
    _release_the_distressed(needs, first, end, host.supply_bytes, desk)
    taken = _takes(needs, host, desk)
    for i in range(first, end):
        _wish(needs, i, desk, out)
    if taken > 0:
        _name_the_receiver(needs, first, end, out)


def _fair_shares(needs: Needs, first: int, end: int, supply: int, backing: int, desk: Desk) -> None:
    """Share the supply: min, working set, headroom, remembered need, then what is left.

    What the host would have to compress or swap for it goes to working sets and headroom only.
    """
    left = _all_that_is_wanted(needs, first, end, supply, desk)
    if left < 0:
        left = _share_in_tiers(needs, first, end, supply, backing, desk)
    if total_of(needs.is_in_host_swap, first, end) > 0:
        left = _leave_in_swap(needs, first, end, supply, desk)
    _add_surplus(needs, first, end, max(0, left), desk)


def _all_that_is_wanted(needs: Needs, first: int, end: int, supply: int, desk: Desk) -> int:
    """Shares by which everybody has what it wants; returns what is left, below 0: they do not fit.

    Where they fit, as nearly always, they are what sharing in tiers comes to.
    """
    left = supply
    for i in range(first, end):
        need, share = needs.ordered_bytes[i], needs.ordered_bytes[i]
        if _has_need(needs, i):
            most, wanted = needs.max_bytes[i], max(needs.core_bytes[i], needs.need_bytes[i])
            need = max(needs.min_bytes[i], min(most, wanted))
            share = max(need, min(most, needs.comfort_bytes[i]))
        desk.need_share[i] = need
        desk.surplus_share[i] = share
        left -= share
    return left


def _share_in_tiers(
    needs: Needs, first: int, end: int, supply: int, backing: int, desk: Desk
) -> int:
    """Min first, then working set, headroom and what was needed a while ago; returns the rest."""
    share = desk.surplus_share
    for i in range(first, end):
        share[i] = needs.min_bytes[i] if _has_need(needs, i) else needs.ordered_bytes[i]
    _caps(needs, needs.core_bytes, first, end, desk.cap)
    fill(share, desk.cap, needs.weight, first, end, supply + backing)
    _caps(needs, needs.need_bytes, first, end, desk.cap)
    fill(share, desk.cap, needs.weight, first, end, supply + backing)
    for i in range(first, end):
        desk.need_share[i] = share[i]
    _caps(needs, needs.comfort_bytes, first, end, desk.cap)
    return fill(share, desk.cap, needs.weight, first, end, supply)


def _has_need(needs: Needs, i: int) -> bool:
    return needs.is_movable[i] == 1 and needs.need_bytes[i] != ABSENT


def _caps(needs: Needs, wanted: IntColumn, first: int, end: int, caps: IntColumn) -> None:
    """Wanted sizes within [min, max]; a guest whose need is not believed keeps what it has."""
    for i in range(first, end):
        caps[i] = needs.ordered_bytes[i]
        if _has_need(needs, i):
            caps[i] = max(needs.min_bytes[i], min(needs.max_bytes[i], wanted[i]))


def _leave_in_swap(needs: Needs, first: int, end: int, supply: int, desk: Desk) -> int:
    """Of surplus, first comes what can be moved to nobody else without reading it back."""
    share = desk.surplus_share
    for i in range(first, end):
        desk.cap[i] = share[i]
        if needs.is_in_host_swap[i] == 1 and _has_need(needs, i):
            desk.cap[i] = max(share[i], min(needs.ordered_bytes[i], needs.max_bytes[i]))
    return fill(share, desk.cap, needs.weight, first, end, supply)


def _add_surplus(needs: Needs, first: int, end: int, left: int, desk: Desk) -> None:
    """Add what the shares leave of the supply by weight and by how far each is likely to rise."""
    for i in range(first, end):
        desk.cap[i] = 0
        desk.weight[i] = 1
        if _has_need(needs, i):
            desk.cap[i] = max(0, needs.max_bytes[i] - desk.surplus_share[i])
            likely = int(needs.rise_bytes[i]) + needs.max_bytes[i] // UNSEEN_RISE_DIVISOR
            weight = needs.weight[i] * (likely // RISE_GRAIN_BYTES)
            desk.weight[i] = min(max(1, weight), SURPLUS_WEIGHT_MAX)
    pour(desk.surplus_share, desk.cap, desk.weight, first, end, left)


def _release_the_distressed(needs: Needs, first: int, end: int, supply: int, desk: Desk) -> None:
    """Raise guests in distress to their max, out of everything the needs leave over."""
    if total_of(needs.is_distressed, first, end) == 0:
        return
    for i in range(first, end):
        desk.cap[i] = desk.need_share[i]
        if needs.is_distressed[i] == 1 and needs.is_movable[i] == 1:
            desk.cap[i] = needs.max_bytes[i]
    fill(desk.need_share, desk.cap, needs.weight, first, end, supply)


def _is_far_below(needs: Needs, i: int, surplus: int) -> bool:
    """Whether this guest has so much less than its part of the surplus that it shall be raised."""
    return surplus - needs.ordered_bytes[i] > SURPLUS_RATIO_MIN * needs.max_bytes[i]


def _deserves_a_gift(needs: Needs, i: int, surplus: int) -> bool:
    """Whether a raise out of what nobody holds is worth a balloon's while."""
    short = needs.ordered_bytes[i] < needs.comfort_bytes[i]
    least = GIFT_RATIO_MIN if short else SURPLUS_RATIO_MIN
    return surplus - needs.ordered_bytes[i] > least * needs.max_bytes[i]


def _takes(needs: Needs, host: Host, desk: Desk) -> int:
    """How much to take from whom: for others' need and the host, else to even surplus out.

    Returns how much that is in all.
    """
    first, end = host.first, host.end
    ordinary = host.supply_bytes - host.burst_bytes
    held = 0
    missing = 0  # to what others need
    starving = 0  # more than that, where guests stay in distress with all they were given
    evening = 0
    for i in range(first, end):
        desk.taken[i] = 0
        ordered = needs.ordered_bytes[i]
        need = max(ordered, desk.need_share[i])
        held += ordered
        missing += need - ordered
        if needs.is_starved[i] == 1 and needs.is_movable[i] == 1:
            starving += max(0, needs.max_bytes[i] - need)
        if _is_far_below(needs, i, desk.surplus_share[i]):
            evening += max(0, desk.surplus_share[i] - need)
    # The burst reserve, once used, is filled up again by calm guests only, or when somebody grows:
    # whoever has just been given it is likely to be growing still.
    bound = ordinary if missing > 0 else host.supply_bytes
    needed = max(0, held + missing - bound)
    taken = 0
    if needed > 0 or starving > 0:
        left = needed
        if missing == 0 and starving == 0 and total_of(needs.unsure_bytes, first, end) > 0:
            # Only where it is for the host: who waits for memory is not made to wait for the best.
            _excess_of_the_sure(needs, first, end, desk)
            left = _drain_worthwhile(needs, first, end, left, desk)
        if left > 0:
            _excess(needs, first, end, 0, desk)
            left = _drain_worthwhile(needs, first, end, left, desk)
        left += max(0, starving - max(0, bound - held - missing))
        left = _ask_beside_the_swapped(needs, first, end, left, desk, host.is_short)
        _probe(needs, first, end, left, desk, host.is_short)
        taken = total_of(desk.taken, first, end)
    for_host = held - host.supply_bytes - taken
    if for_host > 0:
        _last_resort(needs, first, end, desk)
        _drain_worthwhile(needs, first, end, for_host, desk)
        taken = total_of(desk.taken, first, end)
    rest = held + missing + evening - ordinary - taken
    if rest > 0:
        _excess(needs, first, end, 1, desk)
        drain(desk.excess, needs.weight, desk.taken, first, end, rest)
        taken = total_of(desk.taken, first, end)
    return taken


def _drain_worthwhile(needs: Needs, first: int, end: int, amount: int, desk: Desk) -> int:
    """Drain the excess; what is too little to be levelled is taken of the one with the greatest.

    Of a little from each nobody's balloon would move, and what is missing would stay missing. Where
    several have exactly the same, none of them is named before the others.

    Returns:
        What the excess of all together does not cover.
    """
    for i in range(first, end):
        desk.cap[i] = 0
    left = drain(desk.excess, needs.weight, desk.cap, first, end, amount)
    donors = 0
    for i in range(first, end):
        donors += 1 if desk.cap[i] > 0 else 0
    if left <= 0 and TAKE_WORTH_BYTES <= amount < donors * TAKE_WORTH_BYTES:
        one = _greatest(desk.excess, needs.weight, first, end)
        if _is_alone(desk.excess, needs.weight, first, end, one):
            # Of its part of the surplus as well: a little less of that is no harm.
            kept = needs.ordered_bytes[one] - desk.taken[one]
            own = max(desk.need_share[one], _protected_bytes(needs, one))
            desk.taken[one] += min(amount, max(desk.excess[one], kept - own))
            return 0
    for i in range(first, end):
        desk.taken[i] += desk.cap[i]
    return left


def _greatest(excess: IntColumn, weight: IntColumn, first: int, end: int) -> int:
    """Whose excess is the greatest for its weight; the first of several with the same."""
    found = first
    for i in range(first, end):
        if excess[i] / weight[i] > excess[found] / weight[found]:
            found = i
    return found


def _is_alone(excess: IntColumn, weight: IntColumn, first: int, end: int, one: int) -> bool:
    """Whether nobody else has as much excess for its weight."""
    most = excess[one] / weight[one]
    same = 0
    for i in range(first, end):
        same += 1 if excess[i] / weight[i] == most else 0
    return same == 1


def _excess(needs: Needs, first: int, end: int, calm_only: int, desk: Desk) -> None:
    """What each guest holds above its share, where it may be a donor at all.

    What lies in the host's swap is no help to anybody: it frees no RAM, and has to be read first.
    """
    for i in range(first, end):
        desk.excess[i] = 0
        asked = _has_need(needs, i) and needs.is_distressed[i] == 0
        asked = asked and needs.is_in_host_swap[i] == 0
        if asked and (needs.is_calm[i] == 1 or calm_only == 0):
            kept = needs.ordered_bytes[i] - desk.taken[i]
            # Where nobody waits for it, what a guest uses is worth more than a reserve.
            spared = needs.kept_bytes[i] if calm_only == 1 else _protected_bytes(needs, i)
            desk.excess[i] = max(0, kept - max(desk.surplus_share[i], spared))


def _excess_of_the_sure(needs: Needs, first: int, end: int, desk: Desk) -> None:
    """What those hold above their need of whom the host is sure to get something; others nothing.

    Whoever may never have touched as much as it could give is asked after them: which of its free
    pages a balloon takes, its kernel chooses. And so is who would not be taken from after all.
    """
    for i in range(first, end):
        desk.excess[i] = 0
        if _has_need(needs, i) and needs.is_calm[i] == 1 and needs.is_in_host_swap[i] == 0:
            remembered = max(desk.need_share[i], needs.comfort_bytes[i], needs.floor_bytes[i])
            own = max(remembered, _protected_bytes(needs, i))
            could_give = needs.ordered_bytes[i] - own
            if needs.unsure_bytes[i] < could_give:
                desk.excess[i] = could_give


def _protected_bytes(needs: Needs, i: int) -> int:
    """What is not taken from it for others: what it uses, as far as that is within its due."""
    return min(needs.due_bytes[i], needs.kept_bytes[i])


def _ask_beside_the_swapped(
    needs: Needs, first: int, end: int, amount: int, desk: Desk, is_host_short: int
) -> int:
    """Where part of somebody lies in the host's swap, the others go below their part of surplus.

    Only when they have nothing beyond their need is the swapped one asked: each page is read once
    more, and is then off the host for good. Returns what is still missing.
    """
    if amount <= 0 or total_of(needs.is_in_host_swap, first, end) == 0:
        return amount
    for i in range(first, end):
        desk.excess[i] = 0
        asked = _has_need(needs, i) and needs.is_distressed[i] == 0
        if asked and needs.is_in_host_swap[i] == 0:
            kept = needs.ordered_bytes[i] - desk.taken[i]
            own = max(desk.need_share[i], _protected_bytes(needs, i))
            desk.excess[i] = max(0, kept - own)
    left = drain(desk.excess, needs.weight, desk.taken, first, end, amount)
    if left <= 0:
        return 0
    for i in range(first, end):
        desk.excess[i] = 0
        asked = _has_need(needs, i) and needs.is_distressed[i] == 0
        calm = needs.is_calm[i] == 1 or is_host_short == 1
        if asked and calm and needs.is_in_host_swap[i] == 1:
            desk.excess[i] = max(0, needs.ordered_bytes[i] - desk.surplus_share[i])
    return drain(desk.excess, needs.weight, desk.taken, first, end, left)


def _probe(needs: Needs, first: int, end: int, amount: int, desk: Desk, is_host_short: int) -> None:
    """Ask calm guests for what they may not be using: figures cannot see idle memory.

    What one whose memory lies in the host's swap pushes out to its own has to be read in first:
    only a host that is short itself asks for that.
    """
    if amount <= 0:
        return
    for i in range(first, end):
        desk.excess[i] = 0
        spared = needs.is_in_host_swap[i] == 1 and is_host_short == 0
        calm = needs.is_distressed[i] == 0 and needs.is_calm[i] == 1
        if _has_need(needs, i) and calm and not spared:
            kept = needs.ordered_bytes[i] - desk.taken[i]
            own = needs.floor_bytes[i]
            if needs.is_idle[i] == 0:
                own = max(own, _protected_bytes(needs, i))
            desk.excess[i] = max(0, kept - own)
    drain(desk.excess, needs.weight, desk.taken, first, end, amount)


def _last_resort(needs: Needs, first: int, end: int, desk: Desk) -> None:
    """For the host itself: all that calm guests hold above what they cannot do without."""
    for i in range(first, end):
        desk.excess[i] = 0
        if _has_need(needs, i) and needs.is_distressed[i] == 0:
            kept = needs.ordered_bytes[i] - desk.taken[i]
            own = desk.need_share[i]
            if needs.is_calm[i] == 1:
                own = min(own, needs.floor_bytes[i])
            desk.excess[i] = max(0, kept - own)


def _wish(needs: Needs, i: int, desk: Desk, out: Wishes) -> None:
    ordered = needs.ordered_bytes[i]
    out.wish_bytes[i] = ordered
    out.why[i] = WHY_NOTHING
    if needs.is_movable[i] == 0:
        return
    if ordered - desk.taken[i] > needs.max_bytes[i]:
        out.wish_bytes[i] = needs.max_bytes[i]
        out.why[i] = WHY_LOWERED_TO_MAX
    elif needs.is_distressed[i] == 1:
        out.wish_bytes[i] = max(ordered, needs.max_bytes[i])
        out.why[i] = WHY_DISTRESS
    elif ordered < needs.min_bytes[i]:
        out.wish_bytes[i] = max(desk.need_share[i], needs.min_bytes[i])
        out.why[i] = WHY_RAISED_TO_MIN
    elif desk.taken[i] > 0:
        out.wish_bytes[i] = ordered - desk.taken[i]
        out.why[i] = WHY_TAKEN_FOR_HOST
    elif desk.need_share[i] > ordered:
        out.wish_bytes[i] = desk.need_share[i]
        out.why[i] = WHY_DEMAND
    elif _deserves_a_gift(needs, i, desk.surplus_share[i]):
        out.wish_bytes[i] = desk.surplus_share[i]
        out.why[i] = WHY_SURPLUS


def _name_the_receiver(needs: Needs, first: int, end: int, out: Wishes) -> None:
    """Say "for others" where somebody waits for memory, "for the host" where nobody does."""
    somebody_waits = False
    for i in range(first, end):
        somebody_waits = somebody_waits or out.wish_bytes[i] > needs.ordered_bytes[i]
    if not somebody_waits:
        return
    for i in range(first, end):
        if out.why[i] == WHY_TAKEN_FOR_HOST:
            out.why[i] = WHY_TAKEN_FOR_OTHERS
