"""One tick of a chaos world's guests: coarse physics, whole bytes, everything that can hurt.

Guests touch memory, drop cache, swap, wait, are killed; balloons move, stick, crawl and let go by
themselves. Coarser than ``sim.physics``, so that thousands of guest-hours take minutes.
"""

from aerostat.engine.columns import RUN_MIGRATING, RUN_RUNNING
from aerostat.policy.columns import ABSENT
from aerostat.sim.chaos.columns import WALL_S, Guests, World
from aerostat.units import MIB, PAGE_BYTES

INFLATE_RATE = 900 * MIB
DEFLATE_RATE = 2100 * MIB
TOUCH_RATE = 300 * MIB
SWAP_OUT_RATE = 80 * MIB
SWAP_IN_RATE = 9 * MIB
CACHE_RATE = 50 * MIB
MISSED_RATE = 4 * MIB
YIELD_RATE = 3 * MIB
LEAST_BYTES = 64 * MIB
"""A kernel keeps so much resident whatever happens."""
FREE_BYTES_MIN = 4 * MIB
OVERHEAD_BYTES = 75 * MIB
"""What a VM's process holds beside its guest's memory."""


def live(world: World, now_s: float) -> None:
    """Let all guests live for a tick that ends at ``now_s``."""
    for i in range(len(world.guests.is_here)):
        if world.guests.is_here[i] == 0:
            continue
        if world.guests.run[i] in (RUN_RUNNING, RUN_MIGRATING):
            _move_balloon(world, i)
            _touch(world, i)
            lie = int(world.faults.cries[i] * world.tick_s)
            world.guests.swap_in_bytes[i] += lie
            world.guests.swap_out_bytes[i] += lie
            _sample(world, i, now_s)


def resident_bytes(guests: Guests, i: int) -> int:
    """What it holds of what it has touched."""
    return guests.touched_bytes[i] - guests.swapped_bytes[i]


def _move_balloon(world: World, i: int) -> None:
    guests, faults = world.guests, world.faults
    gap = guests.target_bytes[i] - guests.actual_bytes[i]
    if faults.is_stalled[i] == 1 or gap == 0:
        return
    rate = DEFLATE_RATE if gap > 0 else INFLATE_RATE
    most = int(rate * world.tick_s) // max(1, faults.slowness[i])
    if gap > 0:
        guests.actual_bytes[i] += min(gap, most)
        return
    if guests.has_yielded[i] == 1:
        return
    want = min(-gap, most)
    room = guests.actual_bytes[i] - resident_bytes(guests, i) - FREE_BYTES_MIN
    easy = max(0, min(want, room))
    pushed = _swap_out(guests, i, want - easy, int(SWAP_OUT_RATE * world.tick_s))
    guests.actual_bytes[i] -= easy + pushed
    _drop_cache(guests, i)


def _swap_out(guests: Guests, i: int, want: int, most: int) -> int:
    """Push out what is resident, as far as bandwidth, swap space and the kernel's own part go."""
    space = guests.swap_size_bytes[i] - guests.swapped_bytes[i]
    pushed = min(want, most, space, resident_bytes(guests, i) - LEAST_BYTES)
    pushed = max(0, pushed)
    guests.swapped_bytes[i] += pushed
    guests.swap_out_bytes[i] += pushed
    return pushed


def _drop_cache(guests: Guests, i: int) -> None:
    room = guests.actual_bytes[i] - resident_bytes(guests, i)
    guests.cache_bytes[i] = max(0, min(guests.cache_bytes[i], room))


def _touch(world: World, i: int) -> None:
    """Touch more or less memory; what does not fit is swapped, or somebody is killed."""
    guests, tick_s = world.guests, world.tick_s
    grown = guests.touched_bytes[i] + int(TOUCH_RATE * tick_s)
    before = guests.touched_bytes[i]
    guests.touched_bytes[i] = min(grown, guests.need_bytes[i])
    if guests.touched_bytes[i] < before:  # what is given up is resident or swapped, a fair draw
        guests.swapped_bytes[i] = int(guests.swapped_bytes[i] * (guests.touched_bytes[i] / before))
    lacking = resident_bytes(guests, i) + FREE_BYTES_MIN - guests.actual_bytes[i]
    if lacking > 0:
        pushed = _swap_out(guests, i, lacking, lacking)
        if pushed < lacking:
            _run_out(world, i, lacking - pushed)
    _drop_cache(guests, i)
    _read_back(world, i)
    free = guests.actual_bytes[i] - resident_bytes(guests, i) - guests.cache_bytes[i]
    more = min(guests.file_bytes[i] - guests.cache_bytes[i], int(CACHE_RATE * tick_s))
    read = max(0, min(more, free - 2 * FREE_BYTES_MIN))
    guests.cache_bytes[i] += read
    guests.disk_read_bytes[i] += read
    missed = min(guests.file_bytes[i] - guests.cache_bytes[i], int(MISSED_RATE * tick_s))
    if guests.is_missing[i] == 1 and missed > 0:  # files that it reads again and again
        guests.refaults[i] += missed // PAGE_BYTES
        guests.disk_read_bytes[i] += missed
    _back(world, i)


def _run_out(world: World, i: int, lacking: int) -> None:
    """Nowhere to swap: the balloon lets go, or else the workload is killed and starts again."""
    guests = world.guests
    guests.pressure_s[i] += world.tick_s
    if guests.actual_bytes[i] < guests.max_bytes[i] and guests.deflates_on_oom[i] != 0:
        back = min(int(YIELD_RATE * world.tick_s), guests.max_bytes[i] - guests.actual_bytes[i])
        guests.actual_bytes[i] += back
        guests.has_yielded[i] = 1
        guests.touched_bytes[i] -= min(
            max(0, lacking - back), max(0, guests.touched_bytes[i] - LEAST_BYTES)
        )
        guests.swapped_bytes[i] = min(guests.swapped_bytes[i], guests.touched_bytes[i])
        return
    guests.oom_kills[i] += 1
    guests.touched_bytes[i] = min(guests.touched_bytes[i], LEAST_BYTES)
    guests.swapped_bytes[i] = 0


def _read_back(world: World, i: int) -> None:
    """Hot pages in swap are read back, and where there is no room, others go out for them."""
    guests = world.guests
    hot_swapped = guests.swapped_bytes[i] - min(guests.cold_bytes[i], guests.swapped_bytes[i])
    if hot_swapped <= 0:
        return
    wanted = min(hot_swapped, int(SWAP_IN_RATE * world.tick_s))
    room = guests.actual_bytes[i] - resident_bytes(guests, i) - FREE_BYTES_MIN
    back = max(0, min(wanted, room))
    guests.swapped_bytes[i] -= back
    cycled = wanted - back
    guests.swap_in_bytes[i] += wanted
    guests.swap_out_bytes[i] += cycled
    guests.disk_read_bytes[i] += wanted
    guests.major_faults[i] += wanted // PAGE_BYTES
    guests.short_byte_s[i] += hot_swapped * world.tick_s
    guests.pressure_s[i] += world.tick_s * min(1.0, 4.0 * hot_swapped / guests.touched_bytes[i])


def _back(world: World, i: int) -> None:
    guests = world.guests
    if world.faults.keeps_touching[i] == 1:
        guests.backed_bytes[i] = guests.max_bytes[i]
        return
    used = resident_bytes(guests, i) + guests.cache_bytes[i]
    guests.backed_bytes[i] = min(max(guests.backed_bytes[i], used), guests.actual_bytes[i])


def _sample(world: World, i: int, now_s: float) -> None:
    """Write statistics, once a second or at every tick, whichever is longer."""
    guests, faults = world.guests, world.faults
    if faults.is_frozen[i] == 1 or now_s - guests.sample_s[i] < 0.999:
        return
    available = max(0, guests.actual_bytes[i] - resident_bytes(guests, i) - FREE_BYTES_MIN // 2)
    if faults.claims[i] != ABSENT:
        available = guests.actual_bytes[i] * faults.claims[i] // 1000
    guests.sample_s[i] = now_s
    guests.sample_wall_s[i] = float(int(WALL_S + now_s + world.host.wall_jump_s[0]))
    guests.sample_available_bytes[i] = available
    guests.sample_free_bytes[i] = max(0, available - guests.cache_bytes[i])
    guests.sample_cache_bytes[i] = guests.cache_bytes[i]
    guests.sample_swap_in_bytes[i] = guests.swap_in_bytes[i]
    guests.sample_swap_out_bytes[i] = guests.swap_out_bytes[i]
    guests.sample_major_faults[i] = guests.major_faults[i]
    guests.sample_oom_kills[i] = guests.oom_kills[i]
    guests.sample_refaults[i] = guests.refaults[i]
    guests.sample_pressure_s[i] = guests.pressure_s[i]
