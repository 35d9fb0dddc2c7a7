"""Ticks of one host under a baseline, at its own period and without our guard."""

from typing import Any, NamedTuple

from aerostat.policy.baseline import GuestsView, HostView, keep_all
from aerostat.policy.columns import FloatColumn, IntColumn, clear_room
from aerostat.sim.fleet.columns import Fleet, Guests
from aerostat.sim.fleet.constants import START_S
from aerostat.sim.fleet.physics import begin_tick, end_tick


def decide(host: HostView, guests: GuestsView, memory: Any, out_target: IntColumn) -> None:
    """Leave every guest as it is: ``ticks`` puts the rule that decides in this one's place."""
    del host, memory
    keep_all(guests, out_target)


EARLY_S = 1e-6
"""A rule is due so much before its period is over: sums of seconds are not exact."""


class Asked(NamedTuple):
    """The rule's targets, and what was read when it was last asked."""

    target_bytes: IntColumn
    swap_in_bytes: IntColumn
    swap_out_bytes: IntColumn
    asked_s: FloatColumn  # the same for all


def run_ticks(
    fleet: Fleet,
    view: GuestsView,
    memory: Any,
    asked: Asked,
    period_s: float,
    span: tuple[int, int],
) -> None:
    """Let the ticks of a span pass, on a fleet of one host.

    Args:
        fleet: the world, changed in place.
        view: columns for what the rule is shown.
        memory: what the rule remembers.
        asked: columns for its targets, and what was read when it was last asked.
        period_s: how often the rule decides.
        span: the first tick, counted from the beginning of the world, and the one after the last.
    """
    for tick in range(span[0], span[1]):
        begin_tick(fleet, tick)
        now_s = START_S + tick * fleet.tick_s
        if now_s - asked.asked_s[0] >= period_s - EARLY_S:
            show_guests(fleet.guests, view, asked, now_s)
            clear_room()
            decide(show_host(fleet, now_s), view, memory, asked.target_bytes)
            for i in range(len(asked.target_bytes)):
                fleet.guests.target_bytes[i] = max(0, asked.target_bytes[i])
        end_tick(fleet)


def show_host(fleet: Fleet, now_s: float) -> HostView:
    """The host as it can be read now; what no guest holds is free."""
    available = fleet.hosts.total_bytes[0]
    for i in range(len(fleet.guests.actual_bytes)):
        available -= fleet.guests.actual_bytes[i]
    available = max(0, available)
    return HostView(
        now_s,
        fleet.hosts.total_bytes[0],
        fleet.hosts.supply_bytes[0],
        available,
        available,
        0,
    )


def show_guests(guests: Guests, view: GuestsView, asked: Asked, now_s: float) -> None:
    """Write what can be read of the guests; what stays the same was written at the start."""
    span_s = now_s - asked.asked_s[0]
    for i in range(len(guests.actual_bytes)):
        view.ordered_bytes[i] = guests.target_bytes[i]
        view.actual_bytes[i] = guests.actual_bytes[i]
        view.total_bytes[i] = guests.actual_bytes[i]
        view.available_bytes[i] = guests.available_bytes[i]
        view.free_bytes[i] = guests.available_bytes[i]
        view.swap_in_rate[i] = (guests.swap_in_bytes[i] - asked.swap_in_bytes[i]) / span_s
        view.swap_out_rate[i] = (guests.swap_out_bytes[i] - asked.swap_out_bytes[i]) / span_s
        view.pressure_some_s[i] = guests.stalled_s[i]
        view.demand_bytes[i] = guests.demand_bytes[i]
        view.next_demand_bytes[i] = guests.next_demand_bytes[i]
        asked.swap_in_bytes[i] = guests.swap_in_bytes[i]
        asked.swap_out_bytes[i] = guests.swap_out_bytes[i]
        asked.asked_s[i] = now_s
