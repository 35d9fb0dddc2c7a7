"""What full physics puts in the place of ``fleet.physics`` and of what is read of the guests."""

from aerostat.engine.columns import Figures
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
            live(fleet.guests, deep.insides, i, fleet.tick_s, wait_s)
        score_passed(fleet, host)  # a VM that its host kills is another one from then on
        settle(fleet, deep, host)


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
