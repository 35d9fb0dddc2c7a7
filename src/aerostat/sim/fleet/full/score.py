"""What a tick cost under full physics, by where balloons really came to.

A balloon that finds neither free memory, nor cache, nor room in swap stops short of its target, and
deflate-on-oom moves it against it: what a guest holds is known only when the tick has passed.
"""

from aerostat.sim.fleet.columns import Fleet, Guests
from aerostat.sim.fleet.full.columns import Insides, Pace
from aerostat.sim.fleet.score import score_guest, score_supply


def score_passed(fleet: Fleet, host: int) -> None:
    """Score the tick that has just passed; ``before_bytes`` is what guests held at its start."""
    guests, hosts, tick_s = fleet.guests, fleet.hosts, fleet.tick_s
    inside = fleet.deep.insides
    held = 0
    used = 0
    for i in range(hosts.first[host], hosts.end[host]):
        held += guests.actual_bytes[i]
        used += min(guests.actual_bytes[i], guests.demand_bytes[i])
    over_ratio = score_supply(fleet, host, held, used)
    for i in range(hosts.first[host], hosts.end[host]):
        ends = (inside.before_bytes[i], guests.actual_bytes[i])
        rate = passed_rate(guests, inside, fleet.deep.pace, i, tick_s)
        score_guest(guests, i, ends, rate, tick_s, over_ratio)


def passed_rate(guests: Guests, inside: Insides, pace: Pace, i: int, tick_s: float) -> float:
    """At which rate it moved: at its own if it arrived, else it was at it for all of the tick."""
    given = guests.actual_bytes[i] - inside.before_bytes[i]
    passed = abs(given) / tick_s
    if given != 0 and guests.actual_bytes[i] != guests.target_bytes[i]:
        return passed
    return max(passed, pace.deflate_rate if given >= 0 else pace.inflate_rate)
