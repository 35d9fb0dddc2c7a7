"""Asks a baseline: shows it the round as it wants to see it, and takes down what it wishes.

Baselines run under their own rules and at their own pace. What they wish is carried out as it is
where there is no guard (simulator and lab), and passes the guard in the daemon.
"""

from dataclasses import dataclass, field
from typing import Any

from aerostat.engine.columns import NEVER_S, Round
from aerostat.engine.params import EngineParams
from aerostat.engine.supply import Supply
from aerostat.model.guest import GuestId
from aerostat.model.host import HostSnapshot
from aerostat.policy.baseline import Baseline, GuestsView, HostView
from aerostat.policy.codes import WHY_FIXED, WHY_NOTHING
from aerostat.policy.columns import ABSENT, IntColumn
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES

_GOAL_RATIO = {PolicyName.SHARES: 0.80, PolicyName.THRESHOLD: 0.80, PolicyName.IDLE_TAX: 0.94}
"""Of a host's RAM these rules mean to have so much in use; a budget stands for just that part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerState:
    """What a baseline remembers, and when it was last asked."""

    policy: PolicyName
    guests: tuple[GuestId, ...] = ()
    memory: Any = field(default=())
    asked_s: float = NEVER_S


def wish_as_peer(
    before: PeerState | None,
    r: Round,
    snapshot: HostSnapshot,
    supply: Supply,
    params: EngineParams,
) -> PeerState:
    """Write a baseline's wishes into the round; returns its state for the next one."""
    baseline = BASELINES[params.policy]
    guests = tuple(guest.guest for guest in snapshot.guests)
    state = _aligned(before, baseline, guests)
    wishes = r.decision.wishes
    for i in range(len(guests)):
        wishes.wish_bytes[i] = r.estimates.ordered_bytes[i]
        wishes.why[i] = WHY_NOTHING
    period_s = baseline.period_s if params.policy_period_s is None else params.policy_period_s
    if r.now_s - state.asked_s < period_s:
        return state
    targets: IntColumn = [0] * len(guests)
    host = _host_view(r, snapshot, supply, params)
    baseline.decide(host, _guests_view(r, snapshot, state.asked_s, params), state.memory, targets)
    for i in range(len(guests)):
        if targets[i] != r.estimates.ordered_bytes[i] and r.estimates.is_movable[i] == 1:
            wishes.wish_bytes[i] = max(1, min(targets[i], r.figures.max_bytes[i]))
            wishes.why[i] = WHY_FIXED
    return PeerState(policy=baseline.name, guests=guests, memory=state.memory, asked_s=r.now_s)


def _aligned(
    before: PeerState | None, baseline: Baseline[Any], guests: tuple[GuestId, ...]
) -> PeerState:
    """A copy with a row for every guest; another policy's memory means nothing to this one."""
    memory = baseline.new_memory(len(guests))
    if before is None or before.policy is not baseline.name:
        return PeerState(policy=baseline.name, guests=guests, memory=memory)
    row = {guest: number for number, guest in enumerate(before.guests)}
    for old, new in zip(before.memory, memory, strict=True):
        for i, guest in enumerate(guests):
            if guest in row:
                new[i] = old[row[guest]]
    return PeerState(policy=baseline.name, guests=guests, memory=memory, asked_s=before.asked_s)


def _host_view(r: Round, snapshot: HostSnapshot, supply: Supply, params: EngineParams) -> HostView:
    """The host; with a budget, one whose RAM makes the rule aim at just that budget."""
    budget = params.host.budget_bytes
    memory = snapshot.memory
    if budget is not None:
        total = int(budget / _GOAL_RATIO.get(params.policy, 1.0))
        available = max(0, total - sum(r.estimates.committed_bytes))
        free, cache = available, 0
    elif memory is not None:
        total, available = memory.total_bytes, memory.available_bytes
        free, cache = memory.free_bytes, memory.cache_bytes
    else:
        total = available = free = cache = ABSENT
    committed = sum(r.estimates.committed_bytes)
    return HostView(
        now_s=r.now_s,
        total_bytes=total,
        supply_bytes=committed if supply.total_bytes is None else supply.total_bytes,
        available_bytes=available,
        free_bytes=free,
        cache_bytes=cache,
    )


def _guests_view(
    r: Round, snapshot: HostSnapshot, asked_s: float, params: EngineParams
) -> GuestsView:
    figures, memory = r.figures, r.memory
    count = len(snapshot.guests)
    samples = [guest.statistics for guest in snapshot.guests]
    known = [params.known_demands.get(guest.name, (ABSENT, ABSENT)) for guest in snapshot.guests]
    totals = [ABSENT if s is None or s.total_bytes is None else s.total_bytes for s in samples]
    return GuestsView(
        min_bytes=figures.min_bytes,
        max_bytes=figures.max_bytes,
        weight=figures.weight,
        ordered_bytes=r.estimates.ordered_bytes,
        actual_bytes=figures.actual_bytes,
        total_bytes=totals,
        available_bytes=figures.available_bytes,
        free_bytes=figures.free_bytes,
        cache_bytes=figures.cache_bytes,
        swap_in_rate=memory.swap_in_rate,
        swap_out_rate=memory.swap_out_rate,
        pressure_some_s=figures.pressure_some_s,
        active_ratio=[float(ABSENT)] * count,
        is_movable=r.estimates.is_movable,
        is_new_sample=[int(seen_s > asked_s) for seen_s in memory.sample_seen_s],
        sample_age_s=r.estimates.age_s,
        since_s=memory.since_s,
        demand_bytes=[now for now, _ in known],
        next_demand_bytes=[later for _, later in known],
    )
