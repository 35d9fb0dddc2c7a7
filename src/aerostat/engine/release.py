"""Letting go: give every managed guest its max back, as far as the host has the memory."""

from dataclasses import replace

from aerostat.engine.estimate import estimate
from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState, aligned
from aerostat.engine.step import round_of
from aerostat.engine.supply import supply_of
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import Plan, TargetChange
from aerostat.model.reasons import Reason
from aerostat.policy.params import PolicyName
from aerostat.policy.water import fill


def release_plan(state: EngineState, snapshot: HostSnapshot, params: EngineParams) -> Plan:
    """Return one raise for every movable guest below its max; takes nothing from anybody.

    The budget binds the balance, not the goodbye: what bounds a release is what the host can
    physically back.
    """
    guests = snapshot.guests
    count = len(guests)
    supply = supply_of(snapshot, params)
    following = aligned(state, tuple(g.guest for g in guests), now_s=snapshot.now_s)
    # Whatever is wrong with the policy must not keep guests from getting their memory back.
    r = round_of(following, snapshot, supply, replace(params, policy=PolicyName.STATIC))
    for i in range(count):
        estimate(r, i)
    held = list(r.estimates.committed_bytes)
    caps = [
        max(held[i], r.figures.max_bytes[i]) if r.estimates.is_movable[i] == 1 else held[i]
        for i in range(count)
    ]
    fill(held, caps, r.figures.weight, 0, count, sum(held) + (supply.physical_bytes or 0))
    changes = tuple(
        TargetChange(
            guest=guest.guest,
            target_bytes=min(held[i], r.figures.max_bytes[i]),
            reason=Reason.RELEASED_ON_STOP,
            is_urgent=True,
        )
        for i, guest in enumerate(guests)
        if r.estimates.is_movable[i] == 1 and held[i] > r.estimates.ordered_bytes[i]
    )
    return Plan(changes=changes)
