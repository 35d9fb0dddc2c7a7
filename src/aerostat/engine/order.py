"""Order: memory is freed first, then given, and only what has come back is given.

What counts against the supply is ``max(actual, target)``: a guest asked to shrink still holds what
it holds until ``actual`` has moved.
"""

from aerostat.engine import codes
from aerostat.engine.columns import Round
from aerostat.engine.guard import TARGET_GRAIN_BYTES, dead_band_bytes
from aerostat.policy.codes import (
    WHY_DEMAND,
    WHY_DISTRESS,
    WHY_FIXED,
    WHY_RAISED_TO_MIN,
    WHY_SURPLUS,
)
from aerostat.policy.columns import IntColumn
from aerostat.policy.water import fill

CLASSES = ((WHY_DISTRESS,), (WHY_RAISED_TO_MIN,), (WHY_DEMAND, WHY_FIXED), (WHY_SURPLUS,))
"""Who is served first. Distress may use the burst reserve too."""


def order(r: Round, *, pool_bytes: int, burst_bytes: int) -> None:
    """Cut this round's gives to what is free, class by class; cut ones say that they wait."""
    left = pool_bytes
    for members in CLASSES:
        kept_back = 0 if WHY_DISTRESS in members else burst_bytes
        left -= _serve(r, members, max(0, left - kept_back))


def _serve(r: Round, members: tuple[int, ...], supply: int) -> int:
    count = len(r.decision.target_bytes)
    grants: IntColumn = [0] * count
    wants = [0] * count
    for i in range(count):
        grows = r.decision.target_bytes[i] > r.estimates.ordered_bytes[i]
        if grows and r.decision.wishes.why[i] in members:
            # A balloon still inflating holds more than its target: only the rest is new.
            wants[i] = max(0, r.decision.target_bytes[i] - r.estimates.committed_bytes[i])
    fill(grants, wants, r.figures.weight, supply=supply)
    given = 0
    for i in range(count):
        given += grants[i] if grants[i] >= wants[i] else _cut(r, i, grants[i])
    return given


def _cut(r: Round, i: int, grant: int) -> int:
    """Give only ``grant`` bytes now; where that is next to nothing, wait."""
    ordered = r.estimates.ordered_bytes[i]
    held = r.estimates.committed_bytes[i]
    target = (held + grant) // TARGET_GRAIN_BYTES * TARGET_GRAIN_BYTES
    urgent = r.decision.is_urgent[i] == 1
    least = TARGET_GRAIN_BYTES if urgent else dead_band_bytes(r.figures.max_bytes[i], r.params)
    r.decision.bound[i] = codes.B_SUPPLY
    if target - ordered < least:
        r.decision.target_bytes[i] = ordered
        r.decision.reason[i] = codes.WAITING
        return 0
    r.decision.target_bytes[i] = target
    return max(0, target - held)
