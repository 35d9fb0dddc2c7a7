"""The state of host, loop and guests as one document; sizes are bytes, absent is absent."""

from dataclasses import asdict
from typing import Any

from aerostat import __version__
from aerostat.api.account import host_account, share_of
from aerostat.api.seat import Seat
from aerostat.control.board import Status
from aerostat.control.orders import OrderBook
from aerostat.engine.explain import explain, explain_effect, host_words
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.model.host_state import HostState, in_order
from aerostat.model.limits import Amount
from aerostat.model.plan import GuestTrace
from aerostat.ports.journal import RoundRecord
from aerostat.story.remembered import known_only, utc

SCHEMA = "aerostat.state/1"


def state_document(seat: Seat) -> dict[str, Any]:
    """Everything at once."""
    status = seat.board.status
    record = status.last
    guests = [] if record is None else _guests(record, status, now_s=seat.clock.now_s())
    return {
        "schema": SCHEMA,
        "aerostat": __version__,
        "now": utc(seat.clock.wall_s()),
        "mode": seat.config().mode.value,
        "daemon": daemon_document(seat, status),
        "host": host_document(status),
        "guests": guests,
    }


def daemon_document(seat: Seat, status: Status) -> dict[str, Any]:
    """How the daemon itself does."""
    health, record = seat.health(), status.last
    age_s = None if record is None else max(0.0, seat.clock.now_s() - record.snapshot.now_s)
    return known_only(
        started=utc(seat.started_wall_s),
        rounds=status.rounds,
        round=None if record is None else utc(record.snapshot.wall_s),
        round_age_s=None if age_s is None else round(age_s, 3),
        round_s=None if status.round_s is None else round(status.round_s, 4),
        failures=status.failures,
        failure=status.failure,
        host_trouble=status.sensor_trouble,
        journal_trouble=status.journal_trouble,
        events_dropped=status.events_dropped,
        store=None if seat.store_path is None else str(seat.store_path),
        store_trouble=health.trouble,
        store_rounds_dropped=health.rounds_dropped,
    )


def host_document(status: Status) -> dict[str, Any]:
    """The host: its RAM by what it is for, its state, and what it may hand out."""
    record = status.last
    if record is None:
        return {"state": "unknown"}
    trace, memory = record.trace.host, record.snapshot.memory
    params = status.params or EngineParams()
    reserve = 0 if memory is None else params.host.reserve.of(memory.total_bytes)
    shares = [share_of(g, t) for g, t in _pairs(record)]
    return {
        "state": trace.state.value,
        "allowed": [step.value for step in trace.allowed],
        "in_use": [step.value for step in trace.in_use],
        "ladder": {
            state.value: [step.value for step in in_order(params.ladder.steps(state), state)]
            for state in HostState
            if state is not HostState.UNKNOWN
        },
        "effect": trace.effect.value,
        "effect_words": explain_effect(trace),
        **known_only(
            supply_bytes=trace.supply_bytes,
            committed_bytes=trace.committed_bytes,
            demand_bytes=trace.demand_bytes,
            short_bytes=trace.short_bytes,
            reserved_bytes=trace.reserved_bytes,
            rising_bytes=trace.rising_bytes,
            owed_bytes=trace.owed_bytes,
            max_bytes=sum(g.max_bytes or 0 for g in record.snapshot.guests),
            memory=None if memory is None else known_only(**asdict(memory)),
            account=host_account(record.snapshot, shares, reserve_bytes=reserve),
        ),
    }


def _pairs(record: RoundRecord) -> list[tuple[GuestSnapshot, GuestTrace]]:
    return list(zip(record.snapshot.guests, record.trace.guests, strict=True))


def _guests(record: RoundRecord, status: Status, *, now_s: float) -> list[dict[str, Any]]:
    since_s = max(0.0, now_s - record.snapshot.now_s)
    return [
        guest_document(
            guest, trace, status.orders, was_enforced=record.was_enforced, now_s=now_s,
            since_s=since_s,
        )
        for guest, trace in _pairs(record)
    ]  # fmt: skip


def guest_document(  # what a guest is made of
    guest: GuestSnapshot,
    trace: GuestTrace,
    orders: OrderBook,
    *,
    was_enforced: bool,
    now_s: float,
    since_s: float,
) -> dict[str, Any]:
    """One guest: limits, what it holds and needs, why, and how old that is."""
    footprint, pressure = guest.footprint, guest.pressure
    age_s = None if trace.figures_age_s is None else round(trace.figures_age_s + since_s, 3)
    return {
        "id": guest.guest,
        "name": guest.name,
        "run_state": guest.run_state.value,
        "reason": trace.reason.value,
        "bound": trace.bound.value,
        "words": explain(trace),
        "was_enforced": was_enforced,
        "is_distressed": trace.is_distressed,
        "is_stalled": trace.is_stalled,
        "is_doubted": trace.is_doubted,
        "is_owed": trace.is_owed,
        "share": share_of(guest, trace).document(),
        **known_only(
            order=_order(orders, guest.guest, now_s=now_s),
            tags=None if guest.tags is None else list(guest.tags),
            trouble=guest.trouble,
            host_words=host_words(trace) or None,
            max_bytes=guest.max_bytes,
            min_bytes=trace.min_bytes,
            ceiling_bytes=trace.max_bytes,
            target_bytes=trace.target_bytes if was_enforced else None,
            advised_bytes=None if was_enforced else trace.target_bytes,
            actual_bytes=trace.actual_bytes,
            used_bytes=trace.used_bytes,
            guest_total_bytes=None if guest.statistics is None else guest.statistics.total_bytes,
            guest_available_bytes=trace.available_bytes,
            guest_free_bytes=trace.free_bytes,
            guest_cache_bytes=trace.cache_bytes,
            guest_swap_total_bytes=None if pressure is None else pressure.swap_total_bytes,
            guest_swap_free_bytes=None if pressure is None else pressure.swap_free_bytes,
            standing_target_bytes=guest.standing_target_bytes,
            reports_free_pages=guest.reports_free_pages,
            hinting=None if guest.hinting is None else guest.hinting.value,
            demand_bytes=trace.demand_bytes,
            figures_age_s=age_s,
            confidence=None if trace.confidence is None else round(trace.confidence, 3),
            swap_in_bytes_per_s=trace.swap_in_bytes_per_s,
            swap_out_bytes_per_s=trace.swap_out_bytes_per_s,
            major_faults_per_s=trace.major_faults_per_s,
            pressure_some_ratio=trace.pressure_some_ratio,
            host_held_bytes=None if footprint is None else footprint.held_bytes,
            host_held_source=None if footprint is None else footprint.held_source,
            host_held_age_s=None if footprint is None else round(footprint.age_s + since_s, 3),
            host_swap_bytes=trace.host_swap_bytes,
            host_waiting_ratio=trace.host_waiting_ratio,
            host_touched_bytes=None if footprint is None else footprint.touched_bytes,
            host_touched_cost_ratio=None if footprint is None else footprint.touched_cost_ratio,
            host_merged_bytes=None if footprint is None else footprint.merged_bytes,
            host_merge_profit_bytes=None if footprint is None else footprint.merge_profit_bytes,
        ),
    }


def _order(orders: OrderBook, guest: GuestId, *, now_s: float) -> dict[str, Any] | None:
    ordered = orders.standing.get(guest)
    if ordered is None:
        return None
    order, until_s = ordered.order, ordered.until_s
    return known_only(
        standing=None if order.standing is None else order.standing.value,
        left_s=None if until_s is None else round(max(0.0, until_s - now_s), 1),
        min=_amount(order.minimum),
        max=_amount(order.maximum),
        weight=order.weight,
        who=ordered.limits_who if order.standing is None else ordered.who,
    )


def _amount(amount: Amount | None) -> int | str | None:
    if amount is None or amount.size_bytes is not None:
        return None if amount is None else amount.size_bytes
    return f"{(amount.max_ratio or 0) * 100:g}%"
