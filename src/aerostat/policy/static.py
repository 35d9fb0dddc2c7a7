"""``static``: the supply is split by weight within [min, max] and held, whatever guests do.

The baseline of every comparison: what an operator gets who sizes guests once.
"""

from aerostat.policy.codes import WHY_FIXED
from aerostat.policy.columns import Desk, Host, Needs, Wishes
from aerostat.policy.water import fill


def static_wishes(needs: Needs, host: Host, desk: Desk, out: Wishes) -> None:
    """Write an even split by weight into ``out``; guests that cannot be moved keep their share."""
    for i in range(host.first, host.end):
        movable = needs.is_movable[i] == 1
        out.wish_bytes[i] = needs.min_bytes[i] if movable else needs.ordered_bytes[i]
        desk.cap[i] = needs.max_bytes[i] if movable else needs.ordered_bytes[i]
        out.why[i] = WHY_FIXED
    fill(out.wish_bytes, desk.cap, needs.weight, host.first, host.end, host.supply_bytes)
