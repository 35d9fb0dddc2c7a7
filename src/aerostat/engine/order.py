"""Order: memory is freed first, then given, and only what has come back is given.

What counts against the supply is ``max(actual, target)``: a guest asked to shrink still holds what
it holds until ``actual`` has moved.
"""

from aerostat.engine import codes
from aerostat.engine.columns import Round
from aerostat.engine.guard import TARGET_GRAIN_BYTES, dead_band_bytes
from aerostat.policy.codes import WHY_DISTRESS, WHY_RAISED_TO_MIN, WHY_SURPLUS
from aerostat.policy.water import fill

RANKS = 4
"""Distress first, which may use the burst reserve too; then min, need, surplus."""


def order(r: Round, first: int, end: int, pool_bytes: int, burst_bytes: int) -> None:
    """Cut this round's gives to what is free, class by class; cut ones say that they wait."""
    left = max(0, pool_bytes)
    for rank in range(RANKS):
        kept_back = 0 if rank == 0 else burst_bytes
        left -= _serve(r, first, end, rank, max(0, left - kept_back))


def _rank(why: int) -> int:
    if why == WHY_DISTRESS:
        return 0
    if why == WHY_RAISED_TO_MIN:
        return 1
    return 3 if why == WHY_SURPLUS else 2


def _serve(r: Round, first: int, end: int, rank: int, supply: int) -> int:
    for i in range(first, end):
        r.grants[i] = 0
        r.wants[i] = 0
        grows = r.decision.target_bytes[i] > r.estimates.ordered_bytes[i]
        if grows and _rank(r.decision.wishes.why[i]) == rank:
            # A balloon still inflating holds more than its target: only the rest is new.
            r.wants[i] = max(0, r.decision.target_bytes[i] - r.estimates.committed_bytes[i])
    fill(r.grants, r.wants, r.figures.weight, first, end, supply)
    given = 0
    for i in range(first, end):
        given += r.grants[i] if r.grants[i] >= r.wants[i] else _cut(r, i, r.grants[i])
    return given


def _cut(r: Round, i: int, grant: int) -> int:
    """Give only ``grant`` bytes now; where that is next to nothing, wait."""
    ordered = r.estimates.ordered_bytes[i]
    held = r.estimates.committed_bytes[i]
    target = min(held + grant, r.decision.target_bytes[i])
    target = target // TARGET_GRAIN_BYTES * TARGET_GRAIN_BYTES
    urgent = r.decision.is_urgent[i] == 1
    least = TARGET_GRAIN_BYTES if urgent else dead_band_bytes(r.figures.max_bytes[i], r.knobs)
    r.decision.bound[i] = codes.B_SUPPLY
    if target - ordered < least:
        r.decision.target_bytes[i] = ordered
        r.decision.reason[i] = codes.WAITING
        return 0
    r.decision.target_bytes[i] = target
    return max(0, target - held)
