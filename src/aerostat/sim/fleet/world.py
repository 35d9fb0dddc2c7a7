"""A world of hosts as a value, and the fleet of columns that is built from it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aerostat.policy.columns import ABSENT
from aerostat.policy.water import fill
from aerostat.sim.fleet.columns import Fleet, Guests, HostRows
from aerostat.sim.fleet.constants import MIN_RATIO, RESERVE_RATIO
from aerostat.sim.fleet.full.build import FullPhysics, deep_of, no_deep

WEIGHT = 100
"""What a guest weighs of which nobody says otherwise."""

TICK_S_MAX = 10.0
"""Policies are asked so often where nobody says how often; the daemon looks twice a second."""

Sizes = npt.NDArray[np.int64]


def whole_tick_s(sample_s: float) -> float:
    """The longest tick of at most that which goes into a sample a whole number of times."""
    return sample_s / max(1, -(-sample_s // TICK_S_MAX))


def is_whole(times: float) -> bool:
    """Whether a sample of so many ticks is a whole number of them.

    Of seconds that are no exact fractions (0.1 s, 11 / 2 s) a remainder says nothing.
    """
    return times >= 0.5 and abs(times - round(times)) <= 1e-9 * max(1.0, times)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWorld:
    """Guests in groups of equal number, a host for each group.

    Every host has the sum of its guests' max, divided by ``overcommit_ratio``, for guests, and a
    reserve beside that; or ``supply_bytes``, where that is said. Every guest has the same share of
    its max as its min, and weighs the same, unless that is said. Physics are simplified unless
    ``full`` says what guests and hosts are made of.
    """

    max_bytes: Sizes  # [guest]
    demand_bytes: Sizes  # [sample, guest], at most max
    guests_a_host: int
    overcommit_ratio: float
    sample_s: float = 300.0
    tick_s: float = 10.0
    supply_bytes: Sizes | None = None  # [host]: in place of what the ratio makes of it
    min_bytes: Sizes | None = None  # [guest]
    weight: Sizes | None = None  # [guest]
    full: FullPhysics | None = None

    def __post_init__(self) -> None:
        samples, guests = self.demand_bytes.shape
        assert samples > 0, "a world without samples"
        assert guests == len(self.max_bytes), f"{guests} guests with {len(self.max_bytes)} sizes"
        assert guests % self.guests_a_host == 0, f"{guests} guests, {self.guests_a_host} a host"
        assert (self.demand_bytes <= self.max_bytes).all(), "a guest wants more than its max"
        assert is_whole(self.sample_s / self.tick_s), "a sample is a whole number of ticks"
        for told, count in (
            (self.supply_bytes, self.hosts),
            (self.min_bytes, guests),
            (self.weight, guests),
        ):
            assert told is None or len(told) == count, f"{len(told)} figures for {count}"

    @property
    def hosts(self) -> int:
        """How many there are."""
        return len(self.max_bytes) // self.guests_a_host

    @property
    def ticks(self) -> int:
        """How long it lasts."""
        return len(self.demand_bytes) * self.ticks_per_sample

    @property
    def ticks_per_sample(self) -> int:
        """For how many ticks a sample of demand is in force."""
        return round(self.sample_s / self.tick_s)

    def host(self, number: int) -> "FleetWorld":
        """One host's guests as a world of their own."""
        return self.some_hosts(number, number + 1)

    def some_hosts(self, first: int, end: int) -> "FleetWorld":
        """The guests of hosts ``first`` up to but not including ``end`` as a world."""
        if (first, end) == (0, self.hosts):
            return self
        own = slice(first * self.guests_a_host, end * self.guests_a_host)
        return replace(
            self,
            max_bytes=self.max_bytes[own],
            demand_bytes=self.demand_bytes[:, own].copy(),
            supply_bytes=_part(self.supply_bytes, slice(first, end)),
            min_bytes=_part(self.min_bytes, own),
            weight=_part(self.weight, own),
        )


def _part(sizes: Sizes | None, own: slice) -> Sizes | None:
    return None if sizes is None else sizes[own]


def fleet_of(world: FleetWorld) -> Fleet:
    """The world before its first tick: every guest holds its even share of its host."""
    hosts = _hosts(world)
    maxima = [int(size) for size in world.max_bytes]
    count = len(maxima)
    minima = [max(1, int(MIN_RATIO * size)) for size in maxima]
    if world.min_bytes is not None:
        minima = [int(size) for size in world.min_bytes]
    weight = [WEIGHT] * count if world.weight is None else [int(one) for one in world.weight]
    held = list(minima)
    for first, end, supply in zip(hosts.first, hosts.end, hosts.supply_bytes, strict=True):
        fill(held, maxima, weight, first, end, supply)
    demand = [int(size) for size in world.demand_bytes[0]]
    return Fleet(
        tick_s=world.tick_s,
        ticks_per_sample=world.ticks_per_sample,
        demand_bytes=world.demand_bytes,  # type: ignore[arg-type] # rows of an array are columns
        guests=Guests(
            min_bytes=minima,
            max_bytes=maxima,
            weight=weight,
            demand_bytes=demand,
            next_demand_bytes=[ABSENT] * count,
            target_bytes=list(held),
            actual_bytes=list(held),
            available_bytes=[max(0, h - d) for h, d in zip(held, demand, strict=True)],
            swapped_bytes=[max(0, d - h) for h, d in zip(held, demand, strict=True)],
            swap_in_bytes=[0] * count,
            swap_out_bytes=[0] * count,
            stalled_s=[0.0] * count,
            short_byte_s=[0.0] * count,
            wanted_byte_s=[0.0] * count,
            distressed_s=[0.0] * count,
            churn_bytes=[0] * count,
        ),
        hosts=hosts,
        deep=no_deep()
        if world.full is None
        else deep_of(
            world.full,
            sizes=(minima, maxima),
            held=held,
            demand=demand,
            host_bytes=hosts.total_bytes,
        ),
    )


def _hosts(world: FleetWorld) -> HostRows:
    firsts = list(range(0, len(world.max_bytes), world.guests_a_host))
    ends = [first + world.guests_a_host for first in firsts]
    whole = [int(world.max_bytes[f:e].sum()) for f, e in zip(firsts, ends, strict=True)]
    supply = [int(size / world.overcommit_ratio) for size in whole]
    if world.supply_bytes is not None:
        supply = [int(size) for size in world.supply_bytes]
    total = [int(size / (1.0 - RESERVE_RATIO)) for size in supply]
    if world.full is not None:
        supply = [
            max(0, size - world.full.other_bytes(whole))
            for size, whole in zip(supply, total, strict=True)
        ]
    return HostRows(
        first=firsts,
        end=ends,
        supply_bytes=supply,
        total_bytes=total,
        below_reserve_s=[0.0] * len(firsts),
        over_byte_s=[0.0] * len(firsts),
    )
