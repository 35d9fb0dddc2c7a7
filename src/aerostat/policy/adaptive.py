"""``adaptive``: memory follows need, by weighted max-min fairness, and moves only when it must.

The supply is shared in tiers: everybody's min; then what each needs now (working set, where it is
heading, headroom; for a guest in distress, its max); then what it needed a while ago; then surplus,
alike for all, because memory in a guest's hands serves its next burst without any delay.

Whoever has less than it needs is raised. Memory is taken only as far as somebody else's need or the
host calls for it, from those with the greatest excess first. What is above need is evened out only
when it is very uneven, and only at the expense of guests that have been calm for long.
"""

from typing import NamedTuple

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
from aerostat.policy.columns import ABSENT, IntColumn, Needs, Wishes
from aerostat.policy.water import drain, fill

SURPLUS_RATIO_MIN = 0.08
"""Surplus is evened out only beyond this share of max: less is not worth a balloon's while."""


class Shares(NamedTuple):
    """What each guest is entitled to, in bytes; each tier contains the one before."""

    need: IntColumn
    surplus: IntColumn


def adaptive_wishes(needs: Needs, *, supply_bytes: int, burst_bytes: int, out: Wishes) -> None:
    """Write every guest's wish into ``out``.

    Args:
        needs: the guests of one host.
        supply_bytes: what they together may hold.
        burst_bytes: the part of the supply that is kept back for guests in distress.
        out: receives wishes; those of growing guests may exceed what is free right now.
    """
    ordinary_bytes = supply_bytes - burst_bytes
    shares = fair_shares(needs, supply_bytes=ordinary_bytes)
    _release_the_distressed(needs, shares.need, supply_bytes=supply_bytes)
    taken = _takes(needs, shares, supply_bytes=ordinary_bytes)
    for i in range(len(taken)):
        _wish(needs, i, shares, taken[i], out)
    _name_the_receiver(needs, out)


def fair_shares(needs: Needs, *, supply_bytes: int) -> Shares:
    """Share the supply: min, then need, then remembered need, then what is left, alike."""
    count = len(needs.ordered_bytes)
    share = [0] * count
    for i in range(count):
        share[i] = needs.min_bytes[i] if _has_need(needs, i) else needs.ordered_bytes[i]
    fill(share, _caps(needs, needs.need_bytes), needs.weight, supply=supply_bytes)
    need = list(share)
    fill(share, _caps(needs, needs.comfort_bytes), needs.weight, supply=supply_bytes)
    return Shares(need=need, surplus=_with_surplus(needs, share, supply_bytes=supply_bytes))


def _has_need(needs: Needs, i: int) -> bool:
    return needs.is_movable[i] == 1 and needs.need_bytes[i] != ABSENT


def _caps(needs: Needs, wanted: IntColumn) -> IntColumn:
    """Wanted sizes within [min, max]; a guest whose need is not believed keeps what it has."""
    caps = list(needs.ordered_bytes)
    for i in range(len(caps)):
        if _has_need(needs, i):
            caps[i] = max(needs.min_bytes[i], min(needs.max_bytes[i], wanted[i]))
    return caps


def _with_surplus(needs: Needs, share: IntColumn, *, supply_bytes: int) -> IntColumn:
    """Return shares with what they leave of the supply added, alike by weight, up to max."""
    count = len(share)
    extra = [0] * count
    room = [0] * count
    for i in range(count):
        if _has_need(needs, i):
            room[i] = max(0, needs.max_bytes[i] - share[i])
    fill(extra, room, needs.weight, supply=max(0, supply_bytes - sum(share)))
    return [share[i] + extra[i] for i in range(count)]


def _is_far_below(needs: Needs, i: int, surplus: int) -> bool:
    """Whether this guest has so much less than its part of the surplus that it shall be raised."""
    return surplus - needs.ordered_bytes[i] > SURPLUS_RATIO_MIN * needs.max_bytes[i]


def _release_the_distressed(needs: Needs, share: IntColumn, *, supply_bytes: int) -> None:
    """Raise guests in distress to their max, out of everything the shares leave over."""
    caps = list(share)
    for i in range(len(share)):
        if needs.is_distressed[i] == 1 and needs.is_movable[i] == 1:
            caps[i] = needs.max_bytes[i]
    fill(share, caps, needs.weight, supply=supply_bytes)


def _takes(needs: Needs, shares: Shares, *, supply_bytes: int) -> IntColumn:
    """How much to take from whom: for others' need and the host, else to even surplus out."""
    count = len(shares.need)
    needed = -supply_bytes
    evening = -supply_bytes
    for i in range(count):
        ordered = needs.ordered_bytes[i]
        far_below = _is_far_below(needs, i, shares.surplus[i])
        needed += max(ordered, shares.need[i])
        evening += max(ordered, shares.surplus[i] if far_below else shares.need[i])
    taken = [0] * count
    if needed > 0:
        drain(_excess(needs, shares, calm_only=False), needs.weight, taken, amount=needed)
    elif evening > 0:
        drain(_excess(needs, shares, calm_only=True), needs.weight, taken, amount=evening)
    return taken


def _excess(needs: Needs, shares: Shares, *, calm_only: bool) -> IntColumn:
    """What each guest holds above its share, where it may be a donor at all."""
    excess = [0] * len(shares.surplus)
    for i in range(len(excess)):
        asked = _has_need(needs, i) and needs.is_distressed[i] == 0
        if asked and (needs.is_calm[i] == 1 or not calm_only):
            excess[i] = max(0, needs.ordered_bytes[i] - shares.surplus[i])
    return excess


def _wish(needs: Needs, i: int, shares: Shares, taken: int, out: Wishes) -> None:
    ordered = needs.ordered_bytes[i]
    out.wish_bytes[i] = ordered
    out.why[i] = WHY_NOTHING
    if needs.is_movable[i] == 0:
        return
    if ordered > needs.max_bytes[i]:
        out.wish_bytes[i] = needs.max_bytes[i]
        out.why[i] = WHY_LOWERED_TO_MAX
    elif needs.is_distressed[i] == 1:
        out.wish_bytes[i] = max(ordered, needs.max_bytes[i])
        out.why[i] = WHY_DISTRESS
    elif ordered < needs.min_bytes[i]:
        out.wish_bytes[i] = max(shares.need[i], needs.min_bytes[i])
        out.why[i] = WHY_RAISED_TO_MIN
    elif shares.need[i] > ordered:
        out.wish_bytes[i] = shares.need[i]
        out.why[i] = WHY_DEMAND
    elif taken > 0:
        out.wish_bytes[i] = ordered - taken
        out.why[i] = WHY_TAKEN_FOR_HOST
    elif _is_far_below(needs, i, shares.surplus[i]):
        out.wish_bytes[i] = shares.surplus[i]
        out.why[i] = WHY_SURPLUS


def _name_the_receiver(needs: Needs, out: Wishes) -> None:
    """Say "for others" where somebody waits for memory, "for the host" where nobody does."""
    somebody_waits = False
    for i in range(len(out.why)):
        somebody_waits = somebody_waits or out.wish_bytes[i] > needs.ordered_bytes[i]
    if not somebody_waits:
        return
    for i in range(len(out.why)):
        if out.why[i] == WHY_TAKEN_FOR_HOST:
            out.why[i] = WHY_TAKEN_FOR_OTHERS
