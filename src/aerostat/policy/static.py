"""``static``: the supply is split by weight within [min, max] and held, whatever guests do.

The baseline of every comparison: what an operator gets who sizes guests once.
"""

from aerostat.policy.codes import WHY_FIXED
from aerostat.policy.columns import Needs, Wishes
from aerostat.policy.water import fill


def static_wishes(needs: Needs, *, supply_bytes: int, out: Wishes) -> None:
    """Write an even split by weight into ``out``; guests that cannot be moved keep their share."""
    count = len(needs.ordered_bytes)
    share = [0] * count
    cap = [0] * count
    for i in range(count):
        movable = needs.is_movable[i] == 1
        share[i] = needs.min_bytes[i] if movable else needs.ordered_bytes[i]
        cap[i] = needs.max_bytes[i] if movable else needs.ordered_bytes[i]
    fill(share, cap, needs.weight, supply=supply_bytes)
    for i in range(count):
        out.wish_bytes[i] = share[i]
        out.why[i] = WHY_FIXED
