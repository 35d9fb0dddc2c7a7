"""Ticks of a fleet under the engine: all hosts are decided in one call."""

from aerostat.engine.columns import Figures, Round
from aerostat.engine.decide import decide
from aerostat.sim.fleet.accept import accept
from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.constants import START_S, WALL_S
from aerostat.sim.fleet.physics import begin_tick, end_tick


def run_ticks(fleet: Fleet, r: Round, span: tuple[int, int]) -> None:
    """Let the ticks of a span pass.

    Args:
        fleet: the world, changed in place.
        r: a round over its guests; its memory is what the engine remembers, its time is not used.
        span: the first tick, counted from the beginning of the world, and the one after the last.
    """
    for tick in range(span[0], span[1]):
        begin_tick(fleet, tick)
        now_s = START_S + tick * fleet.tick_s
        show_figures(fleet, r.figures, WALL_S + now_s)
        show_hosts(fleet, r)
        now = Round(
            now_s,
            r.policy,
            r.knobs,
            r.hosts,
            r.figures,
            r.memory,
            r.estimates,
            r.desk,
            r.grants,
            r.wants,
            r.decision,
            r.is_host_short,
            r.is_below_reserve,
            r.backing_bytes,
        )
        decide(now)
        accept(now, fleet.guests)
        end_tick(fleet)


def show_figures(fleet: Fleet, figures: Figures, wall_s: float) -> None:
    """Write what can be read of the guests; what stays the same was written at the start."""
    guests = fleet.guests
    for host in range(len(fleet.hosts.first)):
        for i in range(fleet.hosts.first[host], fleet.hosts.end[host]):
            figures.actual_bytes[i] = guests.actual_bytes[i]
            figures.held_bytes[i] = guests.actual_bytes[i]
            figures.sample_wall_s[i] = wall_s
            figures.available_bytes[i] = guests.available_bytes[i]
            figures.free_bytes[i] = guests.available_bytes[i]
            figures.swap_in_bytes[i] = guests.swap_in_bytes[i]
            figures.swap_out_bytes[i] = guests.swap_out_bytes[i]


def show_hosts(fleet: Fleet, r: Round) -> None:
    """What each host could still back: what guests do not hold, down to half of its reserve."""
    for host in range(len(fleet.hosts.first)):
        left = (fleet.hosts.total_bytes[host] + fleet.hosts.supply_bytes[host]) // 2
        for i in range(fleet.hosts.first[host], fleet.hosts.end[host]):
            left -= fleet.guests.actual_bytes[i]
        r.hosts.physical_bytes[host] = max(0, left)
