"""The decision: one snapshot in, one plan out, with the state for the next round and the trace.

believe -> estimate -> policy -> protect -> guard -> order. Deterministic and without I/O, so that
the daemon, the simulator and a replay decide the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aerostat.engine import invariants
from aerostat.engine.believe import believe
from aerostat.engine.columns import Decision, Memory, Round, empty_estimates
from aerostat.engine.estimate import estimate
from aerostat.engine.figures import figures_of
from aerostat.engine.guard import guard
from aerostat.engine.order import order
from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState, aligned, apply_events
from aerostat.engine.supply import Supply, supply_of
from aerostat.engine.trace import plan_of, trace_of
from aerostat.model.events import Event
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import Plan, RoundTrace
from aerostat.policy.adaptive import adaptive_wishes
from aerostat.policy.codes import WHY_DISTRESS
from aerostat.policy.columns import Needs, empty_wishes
from aerostat.policy.params import PolicyName
from aerostat.policy.static import static_wishes

RELEASE_S_MIN = 5.0
"""A reset guest is offered its max for at least so long, however short its grace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one round came to."""

    state: EngineState
    plan: Plan
    trace: RoundTrace


def step(
    state: EngineState, snapshot: HostSnapshot, events: Sequence[Event], params: EngineParams
) -> Step:
    """Decide one round.

    Args:
        state: what the last round returned; ``EngineState()`` at the start.
        snapshot: the host and its guests, read just now.
        events: what happened since the last round, in order.
        params: the operator's word.
    """
    now_s = snapshot.now_s
    following = aligned(state, tuple(g.guest for g in snapshot.guests), now_s=now_s)
    apply_events(following, events, now_s=now_s)
    r = _begin(snapshot, following.memory, params)
    supply = supply_of(snapshot, params)
    _decide(r, supply)
    return Step(state=following, plan=plan_of(r, snapshot), trace=trace_of(r, snapshot, supply))


def _begin(snapshot: HostSnapshot, memory: Memory, params: EngineParams) -> Round:
    count = len(snapshot.guests)
    return Round(
        now_s=snapshot.now_s,
        params=params,
        figures=figures_of(snapshot, params),
        memory=memory,
        estimates=empty_estimates(count),
        decision=Decision(
            wishes=empty_wishes(count),
            target_bytes=[0] * count,
            reason=[0] * count,
            bound=[0] * count,
            is_urgent=[0] * count,
        ),
    )


def _decide(r: Round, supply: Supply) -> None:
    count = len(r.decision.target_bytes)
    for i in range(count):
        believe(r.figures, r.memory, i, now_s=r.now_s, params=r.params)
        estimate(r.figures, r.memory, i, now_s=r.now_s, params=r.params, out=r.estimates)
    committed = sum(r.estimates.committed_bytes)
    # An unreadable host supplies exactly what is held: nobody is taken from for it.
    total = committed if supply.total_bytes is None else supply.total_bytes
    burst = min(supply.burst_bytes, total) if r.params.is_guarded else 0
    _wish(r, total_bytes=total, burst_bytes=burst)
    _protect(r)
    for i in range(count):
        guard(r, i)
    pool = total - committed
    if supply.physical_bytes is not None:
        pool = min(pool, supply.physical_bytes)
    order(r, pool_bytes=pool, burst_bytes=burst)
    invariants.check(r, supply_bytes=total)


def _wish(r: Round, *, total_bytes: int, burst_bytes: int) -> None:
    needs = Needs(
        min_bytes=r.figures.min_bytes,
        max_bytes=r.figures.max_bytes,
        weight=r.figures.weight,
        ordered_bytes=r.estimates.ordered_bytes,
        is_movable=r.estimates.is_movable,
        is_distressed=r.estimates.is_distressed,
        is_calm=r.estimates.is_calm,
        need_bytes=r.estimates.need_bytes,
        comfort_bytes=r.estimates.comfort_bytes,
    )
    wishes = r.decision.wishes
    match r.params.policy:
        case PolicyName.STATIC:
            static_wishes(needs, supply_bytes=total_bytes, out=wishes)
        case PolicyName.ADAPTIVE:
            adaptive_wishes(needs, supply_bytes=total_bytes, burst_bytes=burst_bytes, out=wishes)


def _protect(r: Round) -> None:
    """Whatever the policy wished: distress and a reset ask for everything."""
    for i in range(len(r.decision.target_bytes)):
        if not r.params.is_guarded or r.estimates.is_movable[i] == 0:
            continue
        released = r.estimates.ordered_bytes[i] >= r.figures.max_bytes[i]
        over = r.now_s - r.memory.since_s[i] > max(r.params.guard.grace_s, RELEASE_S_MIN)
        if released or over:
            r.memory.is_release_due[i] = 0
        if r.estimates.is_distressed[i] == 1 or r.memory.is_release_due[i] == 1:
            # A max lowered by the operator meanwhile is no reason to shrink it now.
            ceiling = max(r.figures.max_bytes[i], r.estimates.ordered_bytes[i])
            r.decision.wishes.wish_bytes[i] = ceiling
            r.decision.wishes.why[i] = WHY_DISTRESS
