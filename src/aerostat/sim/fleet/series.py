"""A run seen from time to time: the whole fleet in sums, and the guests of one host.

Sums are whole numbers, so that a fleet in parts adds up to the same ones in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.world import FleetWorld

Whole = list[int]


@dataclass(slots=True, kw_only=True)
class Series:
    """A cell for each look, in bytes; short is byte-seconds since the last one."""

    elapsed_s: list[float] = field(default_factory=list)
    demand_bytes: Whole = field(default_factory=list)
    held_bytes: Whole = field(default_factory=list)
    short_byte_s: Whole = field(default_factory=list)
    distressed_ms: Whole = field(default_factory=list)
    guests: list["GuestSeries"] = field(default_factory=list)  # of the host that is watched


@dataclass(slots=True, kw_only=True)
class GuestSeries:
    """One guest of the host that is watched."""

    number: int  # in the world
    max_bytes: int
    demand_bytes: Whole = field(default_factory=list)
    actual_bytes: Whole = field(default_factory=list)
    target_bytes: Whole = field(default_factory=list)


class SeriesWatch:
    """Writes a series of a part of a fleet."""

    def __init__(self, world: FleetWorld, *, looks: int, host: int | None, first: int) -> None:
        self.spell_ticks = max(1, -(-world.ticks // looks))
        self.series = Series()
        self._before: tuple[npt.NDArray[np.float64], ...] | None = None
        if host is not None:
            begin = host * world.guests_a_host
            self.series.guests = [
                GuestSeries(number=first + number, max_bytes=int(world.max_bytes[number]))
                for number in range(begin, begin + world.guests_a_host)
            ]
        self._first = first

    def look(self, elapsed_s: float, parts: Sequence[Fleet]) -> None:
        """Write down how everybody is."""
        series = self.series
        series.elapsed_s.append(elapsed_s)
        demand, actual, target = (
            _column(parts, name) for name in ("demand_bytes", "actual_bytes", "target_bytes")
        )
        series.demand_bytes.append(int(demand.sum()))
        series.held_bytes.append(int(actual.sum()))
        scores = (_column(parts, "short_byte_s"), 1000 * _column(parts, "distressed_s"))
        before = self._before or tuple(np.zeros(len(score)) for score in scores)
        short, distressed = (
            int(np.rint(now - then).astype(np.int64).sum())
            for now, then in zip(scores, before, strict=True)
        )
        series.short_byte_s.append(short)
        series.distressed_ms.append(distressed)
        self._before = scores
        for guest in series.guests:
            number = guest.number - self._first
            guest.demand_bytes.append(int(demand[number]))
            guest.actual_bytes.append(int(actual[number]))
            guest.target_bytes.append(int(target[number]))


def joined_series(parts: Sequence[Series]) -> Series:
    """The series of a fleet from those of its parts."""
    sums = {
        name: np.sum([getattr(part, name) for part in parts], axis=0).tolist()
        for name in ("demand_bytes", "held_bytes", "short_byte_s", "distressed_ms")
    }
    guests = [guest for part in parts for guest in part.guests]
    return Series(elapsed_s=parts[0].elapsed_s, guests=guests, **sums)


def tightest_host(world: FleetWorld) -> tuple[int, float]:
    """The host whose guests at their worst want most of what it has, and how much of it.

    It is the one worth watching; the first of several.
    """
    demand = world.demand_bytes.reshape(len(world.demand_bytes), world.hosts, world.guests_a_host)
    whole = world.max_bytes.reshape(world.hosts, world.guests_a_host).sum(axis=1)
    wanted = demand.sum(axis=2).max(axis=0) / whole
    host = int(np.argmax(wanted))
    return host, float(wanted[host])


def _column(parts: Sequence[Fleet], name: str) -> npt.NDArray[np.float64]:
    return np.concatenate([np.array(getattr(part.guests, name)) for part in parts])
