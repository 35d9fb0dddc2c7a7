"""Order: memory is freed first, then given, and only what has come back is given.

What counts against the supply is ``max(actual, target)``: a guest asked to shrink still holds what
it holds until ``actual`` has moved. Only a guest that shuts down may be lent more than that.
"""

from aerostat.engine import codes
from aerostat.engine.closing import lend, lent_bytes
from aerostat.engine.columns import Round
from aerostat.engine.entitlement import claim_bytes, tried_bytes
from aerostat.engine.guard import TARGET_GRAIN_BYTES, dead_band_bytes
from aerostat.policy.codes import (
    WHY_DISTRESS,
    WHY_ORDERED,
    WHY_RAISED_TO_MIN,
    WHY_SHUTDOWN,
    WHY_SURPLUS,
)
from aerostat.policy.columns import ABSENT
from aerostat.policy.water import fill

RANKS = 5
"""Distress first, then shutdown, which may use the burst reserve too.

Then min, and what the operator releases; then need; then surplus.
"""
SHUTDOWN_RANK = 1
NEED_RANK = 3
"""Up to here the host may have to compress or swap for it; nobody is swapped for surplus."""


def order(r: Round, host: int, pool_bytes: int, burst_bytes: int) -> None:
    """Cut this round's gives to what is free, class by class; cut ones say that they wait."""
    first, end = r.hosts.first[host], r.hosts.end[host]
    critical_bytes = r.hosts.kept_back_bytes[host]
    if not _does_anybody_grow(r, first, end):
        return
    left = max(0, pool_bytes - _kept_aside(r, first, end))
    backing = r.backing_bytes
    given = 0
    for rank in range(RANKS):
        if rank == SHUTDOWN_RANK:
            left = _serve_closing(r, host, left, given)
        else:
            kept_back = 0 if rank == 0 else max(burst_bytes, critical_bytes)
            own = max(0, left - kept_back)
            given = _serve(r, first, end, rank, own + (backing if rank <= NEED_RANK else 0))
            backing -= max(0, given - own)
            left -= min(given, own)


def _serve_closing(r: Round, host: int, left: int, given: int) -> int:
    """Serve who shuts down by a loan, as far as the host itself has it, and then from the supply.

    Args:
        r: the round.
        host: which host.
        left: of the supply.
        given: in this round already, to guests in distress.

    Returns:
        What is left of the supply for the others.
    """
    first, end = r.hosts.first[host], r.hosts.end[host]
    closing = 0
    for i in range(first, end):
        closing += r.estimates.is_closing[i]
    if closing == 0:
        return left
    supply = max(0, left - r.hosts.kept_back_bytes[host])
    if r.hosts.physical_bytes[host] == ABSENT:
        return left - _serve(r, first, end, SHUTDOWN_RANK, supply)
    physical = max(0, r.hosts.physical_bytes[host] - given)
    # What was lent before may not have been touched yet: then the host still shows it as its own.
    loan = max(0, physical - lent_bytes(r, first, end))
    served = _serve(r, first, end, SHUTDOWN_RANK, min(physical, supply + loan))
    left -= served - lend(r, first, end, min(served, loan))
    return max(0, min(left, physical - served))


def _does_anybody_grow(r: Round, first: int, end: int) -> bool:
    growing = 0
    for i in range(first, end):
        growing += 1 if r.decision.target_bytes[i] > r.estimates.ordered_bytes[i] else 0
    return growing > 0


def _rank(why: int) -> int:
    if why == WHY_DISTRESS:
        return 0
    if why == WHY_SHUTDOWN:
        return SHUTDOWN_RANK
    if why in (WHY_RAISED_TO_MIN, WHY_ORDERED):
        return 2
    return 4 if why == WHY_SURPLUS else 3


def _grows(r: Round, i: int) -> bool:
    return r.decision.target_bytes[i] > r.estimates.ordered_bytes[i]


def _kept_aside(r: Round, first: int, end: int) -> int:
    """What guests on trial gave a moment ago: nobody else has it before they can do without."""
    aside = 0
    for i in range(first, end):
        if not _grows(r, i):
            aside += tried_bytes(r, i)
    return aside


def _serve(r: Round, first: int, end: int, rank: int, supply: int) -> int:
    wanted = 0
    for i in range(first, end):
        r.grants[i] = 0
        r.wants[i] = 0
        if _grows(r, i) and _rank(r.decision.wishes.why[i]) == rank:
            # A balloon still inflating holds more than its target: only the rest is new.
            r.wants[i] = max(0, r.decision.target_bytes[i] - r.estimates.committed_bytes[i])
            wanted += r.wants[i]
    if wanted == 0:
        return 0
    if rank == 0:
        _serve_distress(r, first, end, supply)
    else:
        fill(r.grants, r.wants, r.figures.weight, first, end, supply)
    given = 0
    for i in range(first, end):
        given += r.grants[i] if r.grants[i] >= r.wants[i] else _cut(r, i, r.grants[i])
    return given


def _serve_distress(r: Round, first: int, end: int, supply: int) -> None:
    """First what was tried of a guest and hurt it; then what each is due; then the rest by weight.

    What others, still growing, will soon want of their due is not given to those beyond theirs.
    """
    more, left, claims = r.desk.cap, supply, 0
    for i in range(first, end):
        more[i] = tried_bytes(r, i)
    left -= _grant(r, first, end, left)
    for i in range(first, end):
        more[i] = r.estimates.due_bytes[i] - r.estimates.committed_bytes[i] - r.grants[i]
    left -= _grant(r, first, end, left)
    for i in range(first, end):
        more[i] = r.wants[i]
        claims += claim_bytes(r, i)
    _grant(r, first, end, max(0, left - claims))


def _grant(r: Round, first: int, end: int, supply: int) -> int:
    """Share ``supply`` by weight, up to so much more each as ``desk.cap`` says and it wants."""
    more, cap = r.desk.extra, r.desk.cap
    granted = 0
    for i in range(first, end):
        more[i] = 0
        rest = r.wants[i] - r.grants[i]
        cap[i] = max(0, min(cap[i], rest)) if rest > 0 else 0  # most want nothing
    fill(more, cap, r.figures.weight, first, end, supply)
    for i in range(first, end):
        r.grants[i] += more[i]
        granted += more[i]
    return granted


def _cut(r: Round, i: int, grant: int) -> int:
    """Give only ``grant`` bytes now; where that is next to nothing, wait."""
    ordered = r.estimates.ordered_bytes[i]
    held = r.estimates.committed_bytes[i]
    whole = min(held + grant, r.decision.target_bytes[i])
    target = whole // TARGET_GRAIN_BYTES * TARGET_GRAIN_BYTES
    # Rounded down, it would take a part of a MiB from who is to be given to.
    target = max(target, min(whole, r.figures.actual_bytes[i]))
    urgent = r.decision.is_urgent[i] == 1
    least = TARGET_GRAIN_BYTES if urgent else dead_band_bytes(r.figures.max_bytes[i], r.knobs)
    r.decision.bound[i] = codes.B_SUPPLY
    if target - ordered < least:
        r.decision.target_bytes[i] = ordered
        r.decision.reason[i] = codes.WAITING
        return 0
    r.decision.target_bytes[i] = target
    return max(0, target - held)
