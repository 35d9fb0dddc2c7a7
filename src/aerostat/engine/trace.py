"""From columns back to values: the plan to carry out, and the trace that says why."""

from aerostat.engine import codes
from aerostat.engine.believe import ARRIVED_BYTES
from aerostat.engine.columns import RUN_RUNNING, Round
from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.engine.supply import Supply
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import OWED_STEPS, LadderStep, in_order
from aerostat.model.plan import GuestTrace, HostTrace, Plan, RoundTrace, TargetChange
from aerostat.policy.columns import ABSENT


def plan_of(r: Round, snapshot: HostSnapshot, params: EngineParams) -> Plan:
    """Commands in the order to send them: urgent gives, then takes, then the other gives."""
    changes: list[tuple[int, TargetChange]] = []
    for i, guest in enumerate(snapshot.guests):
        target = r.decision.target_bytes[i]
        ordered = r.estimates.ordered_bytes[i]
        if not _is_to_send(r, i):
            continue
        urgent = r.decision.is_urgent[i] == 1
        rank = 0 if urgent else (1 if target < ordered else 2)
        change = TargetChange(
            guest=guest.guest,
            target_bytes=target,
            reason=codes.REASONS[r.decision.reason[i]],
            is_urgent=urgent,
        )
        changes.append((rank, change))
    changes.sort(key=lambda ranked: ranked[0])
    return Plan(
        changes=tuple(change for _, change in changes),
        next_round_s=params.round_moving_s if _is_moving(r) else params.round_s,
    )


def _is_to_send(r: Round, i: int) -> bool:
    if r.decision.target_bytes[i] != r.estimates.ordered_bytes[i]:
        return True
    # The last answer got lost and the guest is in distress: say it again, it is idempotent.
    if r.memory.is_outcome_unknown[i] == 1 and r.decision.is_urgent[i] == 1:
        return True
    # A raise that nothing comes of may never have reached the hypervisor: say that again, too.
    can_grow = r.figures.is_managed[i] == 1 and r.figures.has_balloon[i] == 1
    is_waiting = r.figures.actual_bytes[i] < r.decision.target_bytes[i]
    return can_grow and is_waiting and r.estimates.is_stalled[i] == 1


def _is_moving(r: Round) -> bool:
    """Whether looking again soon could help: a balloon on its way, distress, or a wait."""
    for i in range(len(r.decision.target_bytes)):
        if r.figures.run[i] != RUN_RUNNING:
            continue
        if r.estimates.is_distressed[i] == 1 or r.decision.reason[i] == codes.WAITING:
            return True
        if r.decision.target_bytes[i] != r.estimates.ordered_bytes[i]:
            return True
        gap = abs(r.figures.actual_bytes[i] - r.estimates.ordered_bytes[i])
        if gap > ARRIVED_BYTES and r.memory.has_arrived[i] == 0 and r.estimates.is_stalled[i] == 0:
            return True
    return False


def trace_of(
    r: Round, snapshot: HostSnapshot, supply: Supply, state: EngineState, params: EngineParams
) -> RoundTrace:
    """Everything this round knew and decided."""
    guests = tuple(_guest_trace(r, i, g.guest, g.name) for i, g in enumerate(snapshot.guests))
    demand = sum(g.demand_bytes for g in guests if g.demand_bytes is not None)
    total = supply.total_bytes
    return RoundTrace(
        now_s=snapshot.now_s,
        wall_s=snapshot.wall_s,
        host=HostTrace(
            supply_bytes=total,
            committed_bytes=sum(r.estimates.committed_bytes),
            demand_bytes=demand,
            short_bytes=0 if total is None else max(0, demand + state.reserved_bytes - total),
            reserved_bytes=state.reserved_bytes,
            rising_bytes=sum(r.estimates.rising_bytes),
            owed_bytes=sum((g.due_bytes or 0) - (g.actual_bytes or 0) for g in guests if g.is_owed),
            state=state.host_state,
            allowed=_allowed(state, params, any(g.is_owed for g in guests)),
            in_use=state.ladder.in_use,
            effect=state.self_check.effect,
            futile_rounds=state.self_check.futile_rounds,
            idle_short_s=state.self_check.idle_s(snapshot.now_s),
        ),
        guests=guests,
    )


def _allowed(
    state: EngineState, params: EngineParams, is_somebody_owed: bool
) -> tuple[LadderStep, ...]:
    """The host's steps; where guests keep others from their due, no more of them are let in."""
    steps = params.ladder.steps(state.host_state)
    return in_order((*steps, *OWED_STEPS) if is_somebody_owed else steps, state.host_state)


def _guest_trace(r: Round, i: int, guest: str, name: str) -> GuestTrace:
    # One of many a round: no calls that can be spared.
    memory, figures, estimates = r.memory, r.figures, r.estimates
    return GuestTrace(
        guest=guest,  # type: ignore[arg-type] # a GuestId, straight from the snapshot
        name=name,
        reason=codes.REASONS[r.decision.reason[i]],
        bound=codes.BOUNDS[r.decision.bound[i]],
        target_before_bytes=None if (n := memory.target_bytes[i]) == ABSENT else n,
        target_bytes=r.decision.target_bytes[i] if _has_target(r, i) else None,
        actual_bytes=None if (n := figures.actual_bytes[i]) == ABSENT else n,
        min_bytes=None if (n := figures.min_bytes[i]) == ABSENT else n,
        max_bytes=None if (n := figures.max_bytes[i]) == ABSENT else n,
        used_bytes=None if (n := memory.used_bytes[i]) == ABSENT else n,
        available_bytes=None if (n := memory.available_bytes[i]) == ABSENT else n,
        free_bytes=None if (n := memory.free_bytes[i]) == ABSENT else n,
        cache_bytes=None if (n := memory.cache_bytes[i]) == ABSENT else n,
        demand_bytes=None if (n := estimates.comfort_bytes[i]) == ABSENT else n,
        wish_bytes=None if (n := r.decision.wishes.wish_bytes[i]) == ABSENT else n,
        figures_age_s=estimates.age_s[i] if figures.has_sample[i] == 1 else None,
        swap_in_bytes_per_s=None if (x := memory.swap_in_rate[i]) < 0 else x,
        swap_out_bytes_per_s=None if (x := memory.swap_out_rate[i]) < 0 else x,
        major_faults_per_s=None if (x := memory.major_fault_rate[i]) < 0 else x,
        pressure_some_ratio=None if (x := memory.pressure_some_ratio[i]) < 0 else x,
        refaults_per_s=None if (x := memory.refault_rate[i]) < 0 else x,
        is_distressed=estimates.is_distressed[i] == 1,
        is_stalled=estimates.is_stalled[i] == 1,
        is_doubted=estimates.is_doubted[i] == 1,
        is_confined=estimates.is_confined[i] == 1,
        host_swap_bytes=None if (n := memory.host_swap_bytes[i]) == ABSENT else n,
        host_swapped_out_bytes=int(memory.host_swap_out_bytes[i]) or None,
        host_swap_in_bytes_per_s=None if (x := memory.host_swap_in_rate[i]) < 0 else x,
        host_waiting_ratio=None if (x := memory.host_waiting_ratio[i]) < 0 else x,
        host_rising_bytes=estimates.rising_bytes[i] or None,
        host_unsplit_bytes=None if (n := figures.unsplit_bytes[i]) == ABSENT else n,
        due_bytes=None if (n := estimates.due_bytes[i]) == ABSENT else n,
        is_owed=estimates.is_owed[i] == 1 and estimates.is_starved[i] == 1,
        confidence=estimates.confidence[i],
        headroom_bytes=estimates.headroom_bytes[i] or None,
        floor_bytes=estimates.floor_bytes[i] or None,
    )


def _has_target(r: Round, i: int) -> bool:
    changed = r.decision.target_bytes[i] != r.estimates.ordered_bytes[i]
    return changed or r.memory.target_bytes[i] != ABSENT
