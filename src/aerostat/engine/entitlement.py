"""Entitlement: what each guest is due when everybody wants all it can have, and who goes without.

A guest in distress is never shrunk, so whoever came first keeps what it got. These figures are what
the other rules go by, so that it does not come to that, or does not last: who holds no more than
its due loses nothing it uses to others, what lies free goes first to those below theirs, and who
holds more than its due while somebody in distress is owed is taken from as soon as it is quiet.
"""

from aerostat.engine.columns import Round
from aerostat.engine.distress import GROWTH_NOISE_RATE, headroom_bytes, is_on_trial
from aerostat.engine.estimate import HEALTHY_SAMPLES_MIN, least_bytes
from aerostat.policy.columns import ABSENT
from aerostat.policy.water import fill

OWED_RATIO = 0.02
"""Of max: closer than this to its due nobody is owed anything, and nobody hoards."""
CLAIM_S = 20.0
"""A guest that grows is expected to go on for so long."""


def entitle(r: Round, first: int, end: int, supply: int) -> None:
    """Work out what each guest of one host is due of ``supply``, who is owed, and who hoards."""
    if _is_due_otherwise(r, first, end, supply):
        due = r.estimates.due_bytes
        for i in range(first, end):
            due[i] = r.estimates.due_least_bytes[i]
        fill(due, r.estimates.due_cap_bytes, r.figures.weight, first, end, supply)
    somebody_is_owed = False
    for i in range(first, end):
        r.estimates.is_owed[i] = _is_owed(r, i)
        somebody_is_owed = somebody_is_owed or r.estimates.is_owed[i] == 1
    for i in range(first, end):
        r.estimates.is_hoarding[i] = 0
        if somebody_is_owed and _holds_more_than_due(r, i):
            _hoards(r, i)


def _is_due_otherwise(r: Round, first: int, end: int, supply: int) -> bool:
    """Note what dues follow from, and whether that has changed since they were worked out.

    In a fleet, whose columns last from round to round, it hardly ever has.
    """
    out = r.estimates
    is_other = False
    for i in range(first, end):
        least, cap, weight = out.committed_bytes[i], out.committed_bytes[i], r.figures.weight[i]
        if out.is_movable[i] == 1:
            cap = r.figures.max_bytes[i]
            least = min(r.figures.min_bytes[i], cap)
        same = out.due_least_bytes[i] == least and out.due_cap_bytes[i] == cap
        if not (same and out.due_weight[i] == weight and out.due_supply_bytes[i] == supply):
            is_other = True
            out.due_least_bytes[i] = least
            out.due_cap_bytes[i] = cap
            out.due_weight[i] = weight
            out.due_supply_bytes[i] = supply
    return is_other


def _margin_bytes(r: Round, i: int) -> int:
    return int(OWED_RATIO * r.figures.max_bytes[i])


def _is_owed(r: Round, i: int) -> int:
    if r.estimates.is_movable[i] == 0 or r.estimates.is_distressed[i] == 0:
        return 0
    lacks = r.estimates.due_bytes[i] - r.estimates.committed_bytes[i]
    return 1 if lacks > _margin_bytes(r, i) else 0


def _holds_more_than_due(r: Round, i: int) -> bool:
    if r.estimates.is_movable[i] == 0:
        return False
    return r.estimates.ordered_bytes[i] - r.estimates.due_bytes[i] > _margin_bytes(r, i)


def _hoards(r: Round, i: int) -> None:
    """While somebody is owed, a few quiet samples are calm enough, and what hurt is no floor."""
    r.estimates.is_hoarding[i] = 1
    if r.estimates.is_distressed[i] == 1:
        return
    if r.memory.healthy_samples[i] >= HEALTHY_SAMPLES_MIN:
        r.estimates.is_calm[i] = 1
    r.estimates.floor_bytes[i] = max(least_bytes(r, i), r.estimates.due_bytes[i])


def claim_bytes(r: Round, i: int) -> int:
    """What a growing guest will soon want of its due, and so is not given to those beyond theirs.

    One in distress has had its part when this is asked; one that rests claims nothing.
    """
    memory = r.memory
    if r.estimates.is_movable[i] == 0 or r.estimates.is_distressed[i] == 1:
        return 0
    if memory.used_bytes[i] == ABSENT or memory.growth_rate[i] <= GROWTH_NOISE_RATE:
        return 0
    coming = int(memory.growth_rate[i] * CLAIM_S)
    wanted = memory.used_bytes[i] + coming + headroom_bytes(r.figures.max_bytes[i], r.knobs)
    return max(0, min(r.estimates.due_bytes[i], wanted) - r.estimates.committed_bytes[i])


def tried_bytes(r: Round, i: int) -> int:
    """What was just taken of a guest within its due, and is still kept aside for it."""
    if not is_on_trial(r.memory, i, r.now_s):
        return 0
    return max(0, r.memory.trial_from_bytes[i] - r.estimates.committed_bytes[i])
