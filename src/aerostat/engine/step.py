"""The decision: one snapshot in, one plan out, with the state for the next round and the trace.

believe -> estimate -> policy -> protect -> guard -> order. Deterministic and without I/O, so that
the daemon, the simulator and a replay decide the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aerostat.engine import codes, invariants
from aerostat.engine.backing import backing_of
from aerostat.engine.circumstances import actual_before, circumstances
from aerostat.engine.climb import climb
from aerostat.engine.columns import Figures, Hosts, Round, new_round
from aerostat.engine.decide import decide, judge, settle
from aerostat.engine.effect import followed
from aerostat.engine.figures import figures_of
from aerostat.engine.host_signs import HostSigns, host_signs, state_by_swap, waits_after
from aerostat.engine.host_state import next_host_state
from aerostat.engine.knobs import knobs_of
from aerostat.engine.params import EngineParams, GuardRule
from aerostat.engine.peer import wish_as_peer
from aerostat.engine.state import EngineState, aligned, with_arrivals, with_events
from aerostat.engine.strangers import replaced, watch
from aerostat.engine.supply import Supply, supply_of, with_room_for
from aerostat.engine.trace import plan_of, trace_of
from aerostat.model.events import Event
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState
from aerostat.model.plan import Plan, RoundTrace
from aerostat.model.techniques import TechniqueOrders
from aerostat.policy.columns import ABSENT
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one round came to."""

    state: EngineState
    plan: Plan
    trace: RoundTrace
    orders: TechniqueOrders = TechniqueOrders()  # to the host itself
    found: tuple[Event, ...] = ()  # out by this round: happens in the next one


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
    following = with_arrivals(with_events(following, events, now_s=now_s), snapshot)
    if GuardRule.LEDGER in params.rules_off:
        following = replace(following, reservations=())
    signs = _host_signs(following, params, now_s=now_s)
    following = _judged_host(following, snapshot, params, signs)
    supply = supply_of(snapshot, params, following.memory, following.promised_bytes)
    before = actual_before(following, events)
    supply = with_room_for(supply, signs.coming_bytes, params)
    r = round_of(following, snapshot, supply, params)
    watched = watch(r.memory)
    if params.policy in BASELINES:
        judge(r)
        peer = wish_as_peer(state.peer, r, snapshot, supply, params)
        settle(r)
        following = replace(following, peer=peer)
    else:
        decide(r)
    invariants.check(r, supply_bytes=supply.total_bytes)
    plan = plan_of(r, snapshot, params)
    around = circumstances(r, snapshot, supply, params, plan=plan, before=before)
    self_check = followed(following.self_check, snapshot, events, around)
    if self_check is not following.self_check:
        following = replace(following, self_check=self_check)
    trace = trace_of(r, snapshot, supply, following, params)
    climbed = climb(following.ladder, snapshot, trace, params)
    if climbed.is_waiting:
        plan = replace(plan, next_round_s=min(plan.next_round_s, params.round_moving_s))
    if climbed.state is not following.ladder:
        following = replace(following, ladder=climbed.state)
    return Step(
        state=following,
        plan=plan,
        trace=trace,
        orders=climbed.orders,
        found=replaced(watched, r, following.guests),
    )


def round_of(
    state: EngineState, snapshot: HostSnapshot, supply: Supply, params: EngineParams
) -> Round:
    """Lay one host out in columns, ready to be decided."""
    short = state.host_state in (HostState.HARD, HostState.CRITICAL)
    return new_round(
        now_s=snapshot.now_s,
        policy=_policy_number(params.policy),
        knobs=knobs_of(params),
        hosts=_one_host(state, len(snapshot.guests), supply),
        figures=_with_promises(
            _without_our_own(figures_of(snapshot, params, state.host_state), state), state
        ),
        memory=state.memory,
    )._replace(
        is_host_short=int(short),
        is_below_reserve=int(short or state.host_state is HostState.SOFT),
        backing_bytes=backing_of(state, snapshot, params),
    )


def _without_our_own(figures: Figures, state: EngineState) -> Figures:
    """Where the ladder takes by a limit that stands for a moment, that is no limit of the VM's."""
    if state.ladder.pending == 0:
        return figures
    return figures._replace(limit_hits=[ABSENT] * len(figures.limit_hits))


def _with_promises(figures: Figures, state: EngineState) -> Figures:
    if not state.reservations:
        return figures
    promised = state.promised_bytes
    return figures._replace(promised_bytes=[promised.get(g, ABSENT) for g in state.guests])


def _policy_number(policy: PolicyName) -> int:
    """The policies that are part of the compiled arithmetic, by number."""
    match policy:
        case PolicyName.STATIC:
            return codes.POLICY_STATIC
        case PolicyName.ADAPTIVE:
            return codes.POLICY_ADAPTIVE
        case _:
            assert policy in BASELINES, f"no policy is called {policy}"
            return codes.POLICY_PEER


def _host_signs(state: EngineState, params: EngineParams, *, now_s: float) -> HostSigns:
    if not params.is_guarded or GuardRule.HOST_SWAP in params.rules_off:
        return HostSigns()
    return host_signs(state.memory, now_s=now_s)


def _judged_host(
    state: EngineState, snapshot: HostSnapshot, params: EngineParams, signs: HostSigns
) -> EngineState:
    """How short the host is, by what it has available and by what it reads back from its swap."""
    memory = snapshot.memory
    total = 0 if memory is None else memory.total_bytes
    waits = waits_after(state.host_waits, memory, now_s=snapshot.now_s)
    by_memory = next_host_state(state.host_state, memory, params.host.reserve.of(total))
    judged = state_by_swap(by_memory, signs, waits, before=state.host_state)
    if judged is state.host_state and waits is state.host_waits:
        return state
    return replace(state, host_state=judged, host_waits=waits)


def _one_host(state: EngineState, count: int, supply: Supply) -> Hosts:
    # In the critical state everything that is left is for guests in distress.
    critical = state.host_state is HostState.CRITICAL
    return Hosts(
        first=[0],
        end=[count],
        supply_bytes=[ABSENT if supply.total_bytes is None else supply.total_bytes],
        physical_bytes=[ABSENT if supply.physical_bytes is None else supply.physical_bytes],
        burst_least_bytes=[supply.burst_least_bytes],
        burst_most_bytes=[supply.burst_most_bytes],
        burst_bytes=[0],
        kept_back_bytes=[(supply.total_bytes or 0) if critical else 0],
        reserved_bytes=[state.reserved_bytes],
    )
