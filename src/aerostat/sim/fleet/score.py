"""What a tick cost the guests: memory they wanted and did not have, in byte-seconds.

A balloon moves at its rate and then stands, so what a guest lacks falls or rises in a straight
line and then stands as well: the integral is exact, not sampled.
"""

from aerostat.sim.fleet.balloon import balloon_rate, end_bytes
from aerostat.sim.fleet.columns import Fleet, Guests
from aerostat.sim.fleet.constants import DISTRESS_RATIO


def score_host(fleet: Fleet, host: int) -> None:
    """Score the tick that begins now, before anything has moved.

    What guests use together beyond the supply, at the tick's end, is short as well: the host would
    have to swap it. It is put down to them by what they use.
    """
    guests, hosts, tick_s = fleet.guests, fleet.hosts, fleet.tick_s
    held = 0
    used = 0
    for i in range(hosts.first[host], hosts.end[host]):
        after = end_bytes(guests, i, tick_s)
        held += after
        used += min(after, guests.demand_bytes[i])
    over_ratio = score_supply(fleet, host, held, used)
    for i in range(hosts.first[host], hosts.end[host]):
        before = guests.actual_bytes[i]
        after = end_bytes(guests, i, tick_s)
        score_guest(guests, i, (before, after), balloon_rate(guests, i), tick_s, over_ratio)


def score_supply(fleet: Fleet, host: int, held: int, used: int) -> float:
    """Score the host by what its guests hold and use at the tick's end.

    Returns the share of what they use that is beyond the supply.
    """
    hosts, tick_s = fleet.hosts, fleet.tick_s
    if held > hosts.supply_bytes[host]:
        hosts.below_reserve_s[host] += tick_s
    over = max(0, used - hosts.supply_bytes[host])
    hosts.over_byte_s[host] += over * tick_s
    return over / used if used > 0 else 0.0


def score_guest(
    guests: Guests,
    i: int,
    ends: tuple[int, int],
    rate: float,
    tick_s: float,
    over_ratio: float,
) -> None:
    """Score a tick in which what the guest holds went from one end to the other at a rate."""
    demand = guests.demand_bytes[i]
    before, after = ends
    if after == before and demand <= before and over_ratio == 0.0:
        guests.wanted_byte_s[i] += demand * tick_s
        return  # at rest with all it wants: what follows would add nothing
    still_s = max(0.0, tick_s - abs(after - before) / rate)
    guests.wanted_byte_s[i] += demand * tick_s
    short = short_byte_s(max(0, demand - before), max(0, demand - after), rate, still_s)
    guests.short_byte_s[i] += short + over_ratio * min(after, demand) * tick_s
    if over_ratio > DISTRESS_RATIO:
        guests.distressed_s[i] += tick_s
        return
    borne = int((1.0 - DISTRESS_RATIO) * demand)
    guests.distressed_s[i] += short_s(max(0, borne - before), max(0, borne - after), rate, still_s)


def short_byte_s(before: int, after: int, rate: float, still_s: float) -> float:
    """Byte-seconds lacked, where a lack of ``before`` changes at a rate to one of ``after``."""
    return (before + after) / 2.0 * (abs(before - after) / rate) + after * still_s


def short_s(before: int, after: int, rate: float, still_s: float) -> float:
    """Seconds in which anything was lacked."""
    return abs(before - after) / rate + (still_s if after > 0 else 0.0)
