"""What the engine is shown of a chaos world, straight into its columns.

The compiled twin of ``asked.snapshot_of`` with ``engine.figures``, ``engine.supply`` and
``engine.host_state``: a test runs both ways on the same worlds and compares every target.
"""

from aerostat.engine.columns import (
    RUN_OTHER,
    RUN_UNREACHABLE,
    TAKES_ALL,
    Figures,
    Memory,
    Round,
)
from aerostat.engine.resident import in_use_bytes, resident_bytes
from aerostat.policy.columns import ABSENT
from aerostat.sim.chaos.columns import WALL_S, World
from aerostat.sim.chaos.physics import OVERHEAD_BYTES

SOFT = 1
HARD = 2
CRITICAL = 3
UNKNOWN = 4
LEAVE_FACTOR = 1.5


def available_bytes(world: World) -> int:
    """What the host has available; below 0: so much of its guests lies in the host's swap."""
    left = world.host.total_bytes[0] - world.host.other_bytes[0]
    for i in range(len(world.guests.is_here)):
        if world.guests.is_here[i] == 1:
            left -= world.guests.backed_bytes[i] + OVERHEAD_BYTES
    return left


def settle_host(world: World) -> None:
    """What the host holds of each guest in RAM: a host that is short swaps out a part of all."""
    guests = world.guests
    backed = 0
    for i in range(len(guests.is_here)):
        if guests.is_here[i] == 1:
            backed += guests.backed_bytes[i]
    swapped = min(backed, max(0, -available_bytes(world)))
    for i in range(len(guests.is_here)):
        kept = guests.backed_bytes[i]
        if backed > 0:
            kept -= int(kept * (swapped / backed))
        guests.held_bytes[i] = kept + OVERHEAD_BYTES
        guests.host_swap_bytes[i] = guests.backed_bytes[i] - kept


def show_figures(world: World, figures: Figures, now_s: float) -> None:
    """Write what can be read of every guest now."""
    wall_s = WALL_S + now_s + world.host.wall_jump_s[0]
    for i in range(len(world.guests.is_here)):
        _show_guest(world, figures, i)
        _show_sample(world, figures, i, wall_s)


def _show_guest(world: World, figures: Figures, i: int) -> None:
    guests, faults = world.guests, world.faults
    here = guests.is_here[i] == 1
    reached = here and faults.is_unreachable[i] == 0
    figures.run[i] = guests.run[i] if reached else (RUN_UNREACHABLE if here else RUN_OTHER)
    figures.has_balloon[i] = guests.has_balloon[i] if here else ABSENT
    figures.deflates_on_oom[i] = guests.deflates_on_oom[i] if reached else ABSENT
    figures.is_managed[i] = guests.is_managed[i]
    figures.takes[i] = TAKES_ALL
    figures.standing[i] = guests.standing[i]
    figures.is_backing_up[i] = guests.is_backing_up[i] if reached else 0
    figures.max_bytes[i] = guests.ceiling_bytes[i] if here else ABSENT
    least = min(guests.ceiling_bytes[i], max(1, guests.min_bytes[i]))
    figures.min_bytes[i] = least if here else ABSENT
    figures.weight[i] = guests.weight[i]
    figures.promised_bytes[i] = ABSENT
    shown = reached and faults.hides_actual[i] == 0
    figures.actual_bytes[i] = guests.actual_bytes[i] if shown else ABSENT
    figures.held_bytes[i] = guests.held_bytes[i] if reached else ABSENT
    figures.host_swap_bytes[i] = guests.host_swap_bytes[i] if reached else ABSENT
    figures.host_swap_in_bytes[i] = ABSENT
    figures.host_waited_s[i] = -1.0
    figures.limit_hits[i] = ABSENT
    figures.touched_bytes[i] = ABSENT
    figures.unsplit_bytes[i] = ABSENT
    figures.disk_read_bytes[i] = guests.disk_read_bytes[i] if reached else ABSENT


def has_sample(world: World, i: int) -> bool:
    """Whether statistics can be read of it now."""
    reached = world.guests.is_here[i] == 1 and world.faults.is_unreachable[i] == 0
    return reached and world.faults.is_silent[i] != 1 and world.guests.sample_s[i] >= 0.0


def tells_kills(world: World, i: int) -> bool:
    """Whether its kernel tells how often it killed.

    Else nobody could see what becomes of one whose balloon never lets go and that has no swap: it
    is killed and starts again between two samples.
    """
    return world.guests.has_agent[i] == 1 or world.guests.deflates_on_oom[i] == 0


def _show_sample(world: World, figures: Figures, i: int, wall_s: float) -> None:
    guests = world.guests
    seen = has_sample(world, i)
    whole = seen and world.faults.is_silent[i] == 0
    agent = seen and guests.has_agent[i] == 1
    figures.has_sample[i] = 1 if seen else 0
    figures.sample_wall_s[i] = guests.sample_wall_s[i] if seen else 0.0
    figures.sample_age_s[i] = max(0.0, wall_s - guests.sample_wall_s[i]) if seen else 0.0
    figures.available_bytes[i] = guests.sample_available_bytes[i] if whole else ABSENT
    figures.free_bytes[i] = guests.sample_free_bytes[i] if whole else ABSENT
    figures.cache_bytes[i] = guests.sample_cache_bytes[i] if whole else ABSENT
    figures.swap_in_bytes[i] = guests.sample_swap_in_bytes[i] if seen else ABSENT
    figures.swap_out_bytes[i] = guests.sample_swap_out_bytes[i] if seen else ABSENT
    figures.major_faults[i] = guests.sample_major_faults[i] if seen else ABSENT
    figures.oom_kills[i] = guests.sample_oom_kills[i] if seen and tells_kills(world, i) else ABSENT
    figures.alloc_stalls[i] = ABSENT
    figures.refaults[i] = guests.sample_refaults[i] if agent else ABSENT
    figures.pressure_wall_s[i] = guests.sample_wall_s[i] if agent else -1.0
    figures.pressure_some_s[i] = guests.sample_pressure_s[i] if agent else -1.0
    figures.pressure_full_s[i] = guests.sample_pressure_s[i] if agent else -1.0


def show_host(world: World, r: Round) -> None:
    """Write the host's account of this round; ``judge_supply`` has worked it out."""
    host = world.host
    supply = host.supply_bytes[0]
    r.hosts.supply_bytes[0] = supply
    r.hosts.physical_bytes[0] = host.physical_bytes[0]
    most = 0 if supply == ABSENT else min(supply, int(0.10 * supply))
    r.hosts.burst_most_bytes[0] = most
    r.hosts.burst_least_bytes[0] = min(most, int(0.05 * supply))
    r.hosts.kept_back_bytes[0] = max(0, supply) if host.state[0] == CRITICAL else 0
    r.hosts.reserved_bytes[0] = host.reserved_bytes[0]


def note_use(world: World, memory: Memory) -> None:
    """What the engine knows of the memory in use in each guest, before it decides."""
    for i in range(len(world.guests.is_here)):
        world.watch.in_use_bytes[i] = in_use_bytes(memory, i)


def judge_supply(world: World) -> None:
    """Supply, what the host could back, and its state with hysteresis."""
    host = world.host
    if host.is_readable[0] == 0:
        host.supply_bytes[0] = ABSENT
        host.physical_bytes[0] = ABSENT
        host.state[0] = UNKNOWN
        return
    available, reserve = max(0, available_bytes(world)), host.reserve_bytes[0]
    total = max(0, _held_bytes(world) + available - reserve)
    if host.budget_bytes[0] != ABSENT:
        total = min(total, host.budget_bytes[0])
    host.supply_bytes[0] = total
    host.physical_bytes[0] = max(0, available - reserve // 2)
    host.state[0] = _state(host.state[0], available, reserve)


def _held_bytes(world: World) -> int:
    """What the guests' own memory takes of the host, as far as it can be read."""
    guests, held = world.guests, 0
    for i in range(len(guests.is_here)):
        if guests.is_here[i] == 0:
            continue
        reached = world.faults.is_unreachable[i] == 0
        actual = max(0, world.watch.last_actual_bytes[i])
        if reached and world.faults.hides_actual[i] == 0:
            actual = guests.actual_bytes[i]
        if reached and world.host.is_elastic[0] == 0:
            actual = resident_bytes(guests.held_bytes[i], actual, world.watch.in_use_bytes[i])
        held += actual
    return held


def _state(before: int, available: int, reserve: int) -> int:
    """Entered below 1, 1/2, 1/4 of the reserve; left above one and a half times that."""
    ratio = 0.25
    for state in (3, 2, 1):
        inside = before != UNKNOWN and before >= state
        if available < ratio * reserve * (LEAVE_FACTOR if inside else 1.0):
            return state
        ratio *= 2.0
    return 0
