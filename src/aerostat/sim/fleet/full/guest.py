"""One guest's tick: demand, balloon, reclaim, swap, cache, and what all that costs its work."""

from aerostat.sim.ages import hit_ratio
from aerostat.sim.fleet.columns import Guests
from aerostat.sim.fleet.full.columns import Insides, Pace
from aerostat.sim.fleet.full.constants import (
    BUSY_RATIO,
    FILE_PAGES_PER_S,
    FILE_READ_S,
    REPORT_DELAY_S,
    RESTART_S,
    TOUCH_RATE,
    TOUCHES_PER_S,
    UNFIT_RATIO,
    YIELD_RATE,
)
from aerostat.units import PAGE_BYTES


def live(
    guests: Guests, inside: Insides, pace: Pace, i: int, tick_s: float, host_wait_s: float
) -> None:
    """Let a tick pass in a guest. ``host_wait_s``: what a mean touch waits for the host."""
    if host_wait_s == 0.0 and is_at_rest(guests, inside, i):
        rest(guests, inside, i, tick_s)
        return
    left_s = tick_s
    if inside.restart_in_s[i] > 0.0:
        is_booting = inside.restart_in_s[i] > RESTART_S
        left_s = restart(inside, i, tick_s)
        if is_booting and left_s == 0.0:
            return  # its balloon has no driver yet
    inside.touched_bytes[i] = max(inside.touched_bytes[i], in_use(inside, i))
    deflate(guests, i, pace.deflate_rate * tick_s)
    if left_s > 0.0:
        follow_demand(guests, inside, i, left_s)
    out = int(pace.out_rate * tick_s)
    # Programs and the balloon want the same pages; here the programs' need comes first.
    out -= make_room(guests, inside, i, tick_s, out)
    inflate(guests, inside, pace, i, tick_s, out)
    if left_s > 0.0:
        work(guests, inside, pace, i, left_s, host_wait_s)
    back(guests, inside, i, tick_s)


def restart(inside: Insides, i: int, tick_s: float) -> float:
    """While a workload that was killed is not back its work is lost; what is left of the tick."""
    down_s = min(tick_s, inside.restart_in_s[i])
    inside.restart_in_s[i] -= down_s
    inside.lost_s[i] += down_s
    return tick_s - down_s


def is_at_rest(guests: Guests, inside: Insides, i: int) -> bool:
    """Whether nothing moves in it: most guests, most of the time."""
    return bool(
        guests.target_bytes[i] == guests.actual_bytes[i]
        and inside.restart_in_s[i] == 0.0
        and inside.hot_swapped_bytes[i] == 0
        and inside.hot_bytes[i] == max(0, guests.demand_bytes[i] - inside.kernel_bytes[i])
        and inside.touched_bytes[i] >= inside.kernel_bytes[i] + inside.hot_bytes[i]
    )


def rest(guests: Guests, inside: Insides, i: int, tick_s: float) -> None:
    """A tick of a guest at rest: its cache may still fill, or lack the room to."""
    if is_cached(inside, i):
        return
    room = guests.actual_bytes[i] - in_use(inside, i)
    read_files(guests, inside, i, tick_s, room)
    if room > 0:
        back(guests, inside, i, tick_s)


def in_use(inside: Insides, i: int) -> int:
    """What is not free of what the guest holds."""
    return (
        inside.kernel_bytes[i]
        + inside.hot_bytes[i]
        - inside.hot_swapped_bytes[i]
        + inside.cold_bytes[i]
        + inside.cache_bytes[i]
    )


def follow_demand(guests: Guests, inside: Insides, i: int, tick_s: float) -> None:
    """The hot set grows as fast as memory can be touched, into the cold first, or shrinks."""
    want = max(0, guests.demand_bytes[i] - inside.kernel_bytes[i])
    have = inside.hot_bytes[i]
    if want >= have:
        more = min(want - have, int(TOUCH_RATE * tick_s))
        warmed = min(more, inside.cold_bytes[i])
        inside.cold_bytes[i] -= warmed
        recalled = min(more - warmed, inside.cold_swapped_bytes[i])
        inside.cold_swapped_bytes[i] -= recalled
        inside.hot_swapped_bytes[i] += recalled
        inside.hot_bytes[i] += more
        return
    less = have - want
    swapped = int(less * (inside.hot_swapped_bytes[i] / have))
    kept = inside.kept_ratio[i]
    inside.hot_bytes[i] = want
    inside.hot_swapped_bytes[i] = min(want, inside.hot_swapped_bytes[i] - swapped)
    inside.cold_bytes[i] += int((less - swapped) * kept)
    inside.cold_swapped_bytes[i] += int(swapped * kept)


def deflate(guests: Guests, i: int, most_bytes: float) -> None:
    """Give back towards the target."""
    given = guests.target_bytes[i] - guests.actual_bytes[i]
    if given > 0:
        given = min(given, int(most_bytes))
        guests.actual_bytes[i] += given
        guests.churn_bytes[i] += given


def inflate(
    guests: Guests, inside: Insides, pace: Pace, i: int, tick_s: float, out_bytes: int
) -> None:
    """Take towards the target: what is free, then cache, then what can be swapped out.

    It stops where nothing can be had: partial progress. What was never touched goes faster.
    """
    gap = guests.actual_bytes[i] - guests.target_bytes[i]
    if gap <= 0:
        return
    free = max(0, guests.actual_bytes[i] - in_use(inside, i))
    idle_backed = max(0, inside.touched_bytes[i] - in_use(inside, i))
    touched = min(1.0, idle_backed / free) if free > 0 else 1.0
    rate = pace.inflate_rate / (touched + (1.0 - touched) / pace.untouched_factor)
    wanted = min(gap, int(rate * tick_s))
    taken = min(wanted, free)
    inside.touched_bytes[i] -= int(taken * touched)
    dropped = min(wanted - taken, inside.cache_bytes[i])
    inside.cache_bytes[i] -= dropped
    left_s = max(0.0, 1.0 - (taken + dropped) / (rate * tick_s))
    swapped = swap_out(guests, inside, i, min(wanted - taken - dropped, int(out_bytes * left_s)))
    inside.touched_bytes[i] -= dropped + swapped
    guests.actual_bytes[i] -= taken + dropped + swapped
    guests.churn_bytes[i] += taken + dropped + swapped


def swap_out(guests: Guests, inside: Insides, i: int, want: int) -> int:
    """Write out what is cold, then the oldest of what is hot, as far as there is room in swap."""
    held = inside.hot_swapped_bytes[i] + inside.cold_swapped_bytes[i]
    want = min(want, max(0, inside.swap_bytes[i] - held))
    cold = min(want, inside.cold_bytes[i])
    hot = min(want - cold, inside.hot_bytes[i] - inside.hot_swapped_bytes[i])
    inside.cold_bytes[i] -= cold
    inside.cold_swapped_bytes[i] += cold
    inside.hot_swapped_bytes[i] += hot
    guests.swap_out_bytes[i] += cold + hot
    return cold + hot


def make_room(guests: Guests, inside: Insides, i: int, tick_s: float, out_bytes: int) -> int:
    """What is in use has to fit: cache goes, swap takes some, and then somebody waits or dies.

    Returns what was written to swap.
    """
    over = in_use(inside, i) - guests.actual_bytes[i]
    if over <= 0:
        return 0
    dropped = min(over, inside.cache_bytes[i])
    inside.cache_bytes[i] -= dropped
    over -= dropped
    written = swap_out(guests, inside, i, min(over, out_bytes))
    over -= written
    if over <= 0:
        return written
    held = inside.hot_swapped_bytes[i] + inside.cold_swapped_bytes[i]
    if held < inside.swap_bytes[i]:  # the device is busy
        wait(guests, inside, i, over, tick_s)
        return written
    balloon = guests.max_bytes[i] - guests.actual_bytes[i]
    yielded = min(over, balloon, int(YIELD_RATE * tick_s)) if inside.yields[i] != 0 else 0
    guests.actual_bytes[i] += yielded
    if yielded > 0:
        wait(guests, inside, i, over - yielded, tick_s)
    else:
        kill(inside, i)
        inside.restart_in_s[i] = RESTART_S
        guests.stalled_s[i] += min(tick_s, RESTART_S)  # its kernel tried first
    return written


def wait(guests: Guests, inside: Insides, i: int, over: int, tick_s: float) -> None:
    """An allocation that finds no room goes on later: that much of the hot set is not there yet."""
    resident = inside.hot_bytes[i] - inside.hot_swapped_bytes[i]
    held_up = min(over, resident)
    inside.hot_bytes[i] -= held_up
    inside.cold_bytes[i] -= over - held_up
    guests.stalled_s[i] += tick_s


def kill(inside: Insides, i: int) -> None:
    """Somebody kills its workload, and what it had is gone; it is up to them when it is back."""
    inside.hot_bytes[i] = 0
    inside.hot_swapped_bytes[i] = 0
    inside.cold_bytes[i] = 0
    inside.cold_swapped_bytes[i] = 0
    inside.oom_kills[i] += 1


def work(
    guests: Guests, inside: Insides, pace: Pace, i: int, tick_s: float, host_wait_s: float
) -> None:
    """Touch pages and read files: those that are missing come in, and keep the work waiting."""
    hot = inside.hot_bytes[i]
    room = guests.actual_bytes[i] - in_use(inside, i)
    if inside.hot_swapped_bytes[i] == 0 and host_wait_s == 0.0:
        if not is_cached(inside, i):
            read_files(guests, inside, i, tick_s, max(0, room))
        return
    resident = (hot - inside.hot_swapped_bytes[i]) / hot if hot > 0 else 1.0
    missed = 1.0 - ages_hit(inside, i, resident)
    is_full = room < PAGE_BYTES
    page_s = pace.page_in_s + (PAGE_BYTES / pace.out_rate if is_full else 0.0)
    cost_s = missed * page_s + host_wait_s
    wanted_s = BUSY_RATIO + TOUCHES_PER_S * cost_s
    done = min(1.0, 1.0 / wanted_s)
    inside.lost_s[i] += (1.0 - done) * tick_s
    guests.stalled_s[i] += min(1.0, TOUCHES_PER_S * cost_s * done) * tick_s
    come_in = int(done * TOUCHES_PER_S * missed * tick_s) * PAGE_BYTES
    back_in = max(0, min(come_in, room, inside.hot_swapped_bytes[i]))
    inside.hot_swapped_bytes[i] -= back_in
    pushed = come_in - back_in if inside.hot_swapped_bytes[i] > 0 else 0
    guests.swap_in_bytes[i] += back_in + pushed
    guests.swap_out_bytes[i] += pushed
    if not is_cached(inside, i):
        read_files(guests, inside, i, tick_s, max(0, room - back_in))


def is_cached(inside: Insides, i: int) -> bool:
    """Whether the cache holds its files, all but what is hardly ever read."""
    return bool(inside.cache_bytes[i] * 64 >= inside.file_bytes[i] * 63)


def read_files(guests: Guests, inside: Insides, i: int, tick_s: float, room: int) -> None:
    """Pages that the cache does not hold are read, and stay where there is room for them."""
    missed = 1.0 - ages_hit(inside, i, inside.cache_bytes[i] / inside.file_bytes[i])
    pages = FILE_PAGES_PER_S * missed * tick_s
    absent = inside.file_bytes[i] - inside.cache_bytes[i]
    inside.cache_bytes[i] += min(int(pages) * PAGE_BYTES, absent, room)
    if room < PAGE_BYTES:  # the cache has had these once: that it has not now is for want of room
        inside.refault_pages[i] += pages
        guests.stalled_s[i] += min(tick_s, pages * FILE_READ_S)


def ages_hit(inside: Insides, i: int, held_ratio: float) -> float:
    """Share of the accesses that the youngest part of a set takes."""
    return hit_ratio(
        inside.age_sixteenth[i],
        inside.age_eighth[i],
        inside.age_quarter[i],
        inside.age_half[i],
        held_ratio,
    )


def back(guests: Guests, inside: Insides, i: int, tick_s: float) -> None:
    """What the host backs: all that was ever touched and not ballooned, unless it is reported."""
    used = in_use(inside, i)
    touched = min(guests.actual_bytes[i], max(inside.touched_bytes[i], used))
    if inside.is_reporting[i] != 0 and tick_s >= REPORT_DELAY_S:
        touched = min(touched, used + int(UNFIT_RATIO * (guests.actual_bytes[i] - used)))
    inside.touched_bytes[i] = touched
    guests.swapped_bytes[i] = inside.hot_swapped_bytes[i] + inside.cold_swapped_bytes[i]
    # Swapping out raises it: the trap that real guests set.
    guests.available_bytes[i] = guests.actual_bytes[i] - used + inside.cache_bytes[i]
