"""One tick of the fleet's world: demand, statistics, balloons, swap.

The order of a tick: the guests have just written their statistics; demand changes; a policy decides
on these statistics, and so on demand as it was a tick ago; targets are accepted at once; for the
rest of the tick balloons move and guests that lack memory swap.
"""

from aerostat.sim.fleet.balloon import end_bytes
from aerostat.sim.fleet.columns import Fleet, Guests
from aerostat.sim.fleet.constants import STALL_FACTOR, SWAP_RATE
from aerostat.sim.fleet.score import score_host


def begin_tick(fleet: Fleet, tick: int) -> None:
    """Put the tick's demand in force; what guests said of themselves stays as it is."""
    if tick % fleet.ticks_per_sample != 0:
        return
    sample = tick // fleet.ticks_per_sample
    following = min(sample + 1, len(fleet.demand_bytes) - 1)
    guests = fleet.guests
    for i in range(len(guests.actual_bytes)):
        guests.demand_bytes[i] = fleet.demand_bytes[sample][i]
        guests.next_demand_bytes[i] = fleet.demand_bytes[following][i]


def end_tick(fleet: Fleet) -> None:
    """Let the tick pass: balloons move, guests swap and suffer, and write their statistics."""
    guests = fleet.guests
    for host in range(len(fleet.hosts.first)):
        first, end = fleet.hosts.first[host], fleet.hosts.end[host]
        score_host(fleet, host)
        for i in range(first, end):
            after = end_bytes(guests, i, fleet.tick_s)
            guests.churn_bytes[i] += abs(after - guests.actual_bytes[i])
            guests.actual_bytes[i] = after
            swap(guests, i, fleet.tick_s)
            write_statistics(guests, i)


def swap(guests: Guests, i: int, tick_s: float) -> None:
    """What no longer fits goes out; what fits again comes back; who lacks memory does both."""
    most = int(SWAP_RATE * tick_s)
    lacking = max(0, guests.demand_bytes[i] - guests.actual_bytes[i])
    if lacking == 0 and guests.swapped_bytes[i] == 0:
        return
    if lacking > guests.swapped_bytes[i]:
        guests.swap_out_bytes[i] += lacking - guests.swapped_bytes[i]
        guests.swapped_bytes[i] = lacking
    else:
        returned = min(guests.swapped_bytes[i] - lacking, most)
        guests.swap_in_bytes[i] += returned
        guests.swapped_bytes[i] -= returned
    if lacking > 0:
        cycled = min(lacking, most)
        guests.swap_in_bytes[i] += cycled
        guests.swap_out_bytes[i] += cycled
        waiting = min(1.0, STALL_FACTOR * lacking / guests.demand_bytes[i])
        guests.stalled_s[i] += waiting * tick_s


def write_statistics(guests: Guests, i: int) -> None:
    """No guest can show demand above what it holds: nothing is available then, and that is all."""
    guests.available_bytes[i] = max(0, guests.actual_bytes[i] - guests.demand_bytes[i])
