"""Letting go: give every managed guest its max back, as far as the host has the memory."""

from aerostat.engine.columns import empty_estimates
from aerostat.engine.estimate import estimate
from aerostat.engine.figures import figures_of
from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState, aligned
from aerostat.engine.supply import supply_of
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import Plan, TargetChange
from aerostat.model.reasons import Reason
from aerostat.policy.water import fill


def release_plan(state: EngineState, snapshot: HostSnapshot, params: EngineParams) -> Plan:
    """Return one raise for every movable guest below its max; takes nothing from anybody.

    The budget binds the balance, not the goodbye: what bounds a release is what the host can
    physically back.
    """
    guests = snapshot.guests
    following = aligned(state, tuple(g.guest for g in guests), now_s=snapshot.now_s)
    figures = figures_of(snapshot, params)
    estimates = empty_estimates(len(guests))
    for i in range(len(guests)):
        estimate(figures, following.memory, i, now_s=snapshot.now_s, params=params, out=estimates)
    physical = supply_of(snapshot, params).physical_bytes
    held = list(estimates.committed_bytes)
    caps = [
        max(held[i], figures.max_bytes[i]) if estimates.is_movable[i] == 1 else held[i]
        for i in range(len(guests))
    ]
    fill(held, caps, figures.weight, supply=sum(held) + (physical or 0))
    changes = tuple(
        TargetChange(
            guest=guest.guest,
            target_bytes=held[i],
            reason=Reason.RELEASED_ON_STOP,
            is_urgent=True,
        )
        for i, guest in enumerate(guests)
        if held[i] > estimates.ordered_bytes[i]
    )
    return Plan(changes=changes)
