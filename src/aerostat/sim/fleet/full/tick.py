"""What full physics puts in the place of ``fleet.physics`` and of what is read of the guests."""

from aerostat.engine.columns import Figures, Round
from aerostat.policy.baseline import HostView
from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.full.guest import live
from aerostat.sim.fleet.full.host import settle
from aerostat.sim.fleet.full.score import score_passed


def end_tick(fleet: Fleet) -> None:
    """Let the tick pass in every guest, and then under them."""
    deep = fleet.deep
    for host in range(len(fleet.hosts.first)):
        wait_s = deep.under.wait_per_touch_s[host]
        for i in range(fleet.hosts.first[host], fleet.hosts.end[host]):
            deep.insides.before_bytes[i] = fleet.guests.actual_bytes[i]
            live(fleet.guests, deep.insides, deep.pace, i, fleet.tick_s, wait_s)
        score_passed(fleet, host)  # a VM that its host kills is another one from then on
        settle(fleet, deep, host)


def show_hosts(fleet: Fleet, r: Round) -> None:
    """In the place of ``engine_ticks.show_hosts``: the host's own programs have their part."""
    for host in range(len(fleet.hosts.first)):
        left = (fleet.hosts.total_bytes[host] + fleet.hosts.supply_bytes[host]) // 2
        left -= fleet.deep.under.other_bytes[host] // 2
        for i in range(fleet.hosts.first[host], fleet.hosts.end[host]):
            left -= fleet.guests.actual_bytes[i]
        r.hosts.physical_bytes[host] = max(0, left)


def show_host(fleet: Fleet, now_s: float) -> HostView:
    """In the place of ``baseline_ticks.show_host``: likewise."""
    total = fleet.hosts.total_bytes[0]
    available = total - fleet.deep.under.other_bytes[0]
    for i in range(len(fleet.guests.actual_bytes)):
        available -= fleet.guests.actual_bytes[i]
    available = max(0, available)
    return HostView(now_s, total, fleet.hosts.supply_bytes[0], available, available, 0)


def show_figures(fleet: Fleet, figures: Figures, wall_s: float) -> None:
    """In the place of ``engine_ticks.show_figures``: free is not available, held is not actual."""
    guests, inside = fleet.guests, fleet.deep.insides
    for host in range(len(fleet.hosts.first)):
        for i in range(fleet.hosts.first[host], fleet.hosts.end[host]):
            figures.actual_bytes[i] = guests.actual_bytes[i]
            figures.held_bytes[i] = inside.touched_bytes[i]
            figures.sample_wall_s[i] = wall_s
            figures.available_bytes[i] = guests.available_bytes[i]
            figures.free_bytes[i] = guests.available_bytes[i] - inside.cache_bytes[i]
            figures.swap_in_bytes[i] = guests.swap_in_bytes[i]
            figures.swap_out_bytes[i] = guests.swap_out_bytes[i]
