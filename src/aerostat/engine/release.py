"""Letting go: give every managed guest its max back, as far as the host has the memory."""

from dataclasses import dataclass, replace

from aerostat.engine import codes
from aerostat.engine.columns import Round
from aerostat.engine.estimate import estimate
from aerostat.engine.guard import cannot_move, hold
from aerostat.engine.params import EngineParams, GuardRule
from aerostat.engine.state import EngineState, aligned
from aerostat.engine.step import round_of
from aerostat.engine.supply import Supply, supply_of
from aerostat.engine.trace import plan_of, trace_of
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import Plan, RoundTrace
from aerostat.model.reasons import Reason
from aerostat.policy.params import PolicyName
from aerostat.policy.water import fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A round that only gives. The plan needs nothing of the trace: that may fail."""

    plan: Plan
    round: Round
    snapshot: HostSnapshot
    supply: Supply
    state: EngineState
    params: EngineParams

    def trace(self) -> RoundTrace:
        """Who was given what, and why others were not."""
        return trace_of(self.round, self.snapshot, self.supply, self.state, self.params)


def release(
    state: EngineState, snapshot: HostSnapshot, params: EngineParams, reason: Reason
) -> Release:
    """Raise every movable guest below its max; take nothing from anybody.

    The budget binds the balance, not the goodbye: what bounds a release is what the host can
    physically back.
    """
    guests = snapshot.guests
    supply = supply_of(snapshot, params)
    following = aligned(state, tuple(g.guest for g in guests), now_s=snapshot.now_s)
    # Whatever is wrong with the policy must not keep guests from getting their memory back.
    # Nor is a VM that waits at a limit of its own, or that somebody else has moved: nobody looks
    # after it any more.
    off = params.rules_off | {GuardRule.CONFINED, GuardRule.YIELD}
    letting_go = replace(params, policy=PolicyName.STATIC, rules_off=off)
    r = round_of(following, snapshot, supply, letting_go)
    count = len(guests)
    for i in range(count):
        estimate(r, i)
    held = list(r.estimates.committed_bytes)
    caps = [
        max(held[i], r.figures.max_bytes[i]) if r.estimates.is_movable[i] == 1 else held[i]
        for i in range(count)
    ]
    fill(held, caps, r.figures.weight, 0, count, sum(held) + (supply.physical_bytes or 0))
    for i in range(count):
        _let_go(r, i, held[i], codes.REASON_CODE[reason])
    plan = plan_of(r, snapshot, params)
    return Release(
        plan=plan, round=r, snapshot=snapshot, supply=supply, state=following, params=params
    )


def _let_go(r: Round, i: int, share: int, reason: int) -> None:
    ordered, max_bytes = r.estimates.ordered_bytes[i], r.figures.max_bytes[i]
    r.decision.wishes.wish_bytes[i] = max(ordered, max_bytes)
    if r.estimates.is_movable[i] == 0:
        cannot_move(r, i)
        r.decision.target_bytes[i] = ordered
        return
    target = min(share, max_bytes)
    if target > ordered:
        bound = codes.B_MAX if target >= max_bytes else codes.B_SUPPLY
        hold(r.decision, i, target, reason, bound)
        r.decision.is_urgent[i] = 1
    elif ordered < max_bytes:
        hold(r.decision, i, ordered, codes.WAITING, codes.B_SUPPLY)
    else:
        # At its max already, or on its way there.
        is_rising = r.figures.actual_bytes[i] < ordered
        hold(r.decision, i, ordered, reason if is_rising else codes.HAS_ENOUGH, codes.B_NONE)
