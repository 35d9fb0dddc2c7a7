"""Synthetic fleets by name: how VMs' use of memory moves, drawn from a seed.

Each kind has one trouble in it, as an operator would name it; none is a substitute for a trace of
the operator's own fleet. Sizes come out of plain uniform numbers, so that a seed is a fleet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from aerostat.sim.fleet.synthetic import SIZES_GIB, synthetic_trace
from aerostat.sim.trace import Trace
from aerostat.sim.trace.trace import Sizes
from aerostat.units import GIB

SAMPLE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0
PHILOX_NUMBERS = 4
"""So many numbers each step of the generator's counter gives."""

Ratios = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.intp]


class _Draw:
    """Uniform numbers for all VMs of a fleet, of which some are kept.

    Whoever keeps half of the VMs draws the same numbers for them as whoever keeps all.
    """

    def __init__(self, seed: int, vms: int, chosen: Chosen | None) -> None:
        self._seed = seed
        self._vms = vms
        self._chosen = chosen
        self._drawn = 0
        self._generator = np.random.Generator(np.random.Philox(key=seed))

    def of_time(self, count: int) -> Ratios:
        """Numbers of the fleet, and not of its VMs."""
        self._drawn += count
        return self._generator.random(count)

    def column(self) -> Ratios:
        """A number for each VM, as a column."""
        drawn = self.of_time(self._vms)[:, np.newaxis]
        return drawn if self._chosen is None else drawn[self._chosen]

    def between(self, low: float, high: float) -> Ratios:
        """The same from one number to another."""
        return low + (high - low) * self.column()

    def whole(self, below: int) -> npt.NDArray[np.int64]:
        """A whole number for each VM."""
        return (self.column()[:, 0] * below).astype(np.int64)

    def rows(self, count: int) -> Ratios:
        """So many numbers for each VM; the last that is drawn."""
        if self._chosen is None:
            return self._generator.random((self._vms, count))
        rows = np.empty((len(self._chosen), count))
        for row, vm in zip(rows, self._chosen, strict=True):
            place = self._drawn + int(vm) * count
            bits = np.random.Philox(key=self._seed)
            bits.advance(place // PHILOX_NUMBERS)
            generator = np.random.Generator(bits)
            generator.random(place % PHILOX_NUMBERS)
            generator.random(out=row)
        return rows


_Shape = Callable[[_Draw, Ratios], Ratios]


def synthetic_fleet(
    kind: str, *, seed: int, vms: int, days: float, chosen: Chosen | None = None
) -> Trace:
    """Draw a fleet; the same arguments give the same one.

    Args:
        kind: one of ``KINDS``.
        seed: of everything that is drawn.
        vms: how many VMs.
        days: how long, in samples of a minute (``mixed``: of five).
        chosen: those VMs alone, in this order, as they are among all; not of ``mixed``.
    """
    assert vms > 0
    if kind == "mixed":
        assert chosen is None, "these are drawn one after the other"
        return synthetic_trace(seed=seed, vms=vms, samples=max(2, round(days * 288)))
    draw = _Draw(seed, vms, chosen)
    sizes = np.array(SIZES_GIB, dtype=np.int64)[draw.whole(len(SIZES_GIB))] * GIB
    time_s = np.arange(samples_of(days), dtype=np.float64) * SAMPLE_S
    ratios = _SHAPES[kind](draw, time_s)
    ratios += 0.01 * (draw.rows(len(time_s)) - 0.5)
    used = (np.clip(ratios, 0.01, 1.0) * sizes[:, np.newaxis]).astype(np.int64)
    numbers = range(vms) if chosen is None else chosen.tolist()
    return Trace(
        name=kind,
        max_bytes=sizes,
        used_bytes=used,
        sample_s=SAMPLE_S,
        names=tuple(name_of(kind, number) for number in numbers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRecipe:
    """A synthetic fleet that is not drawn yet: a part of it can be, without the rest.

    The same as ``synthetic_fleet`` of these arguments, in a few bytes.
    """

    kind: str
    seed: int
    vms: int
    days: float

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.kind

    @property
    def sample_s(self) -> float:
        """How long each sample is in force."""
        return SAMPLE_S

    @property
    def samples(self) -> int:
        """How many there are."""
        return samples_of(self.days)

    def vm_name(self, vm: int) -> str:
        """What a VM is called."""
        return name_of(self.kind, vm)

    def part(self, chosen: Chosen, span: tuple[int, int]) -> tuple[Sizes, Sizes]:
        """Max, and demand [sample, VM], of some VMs for some samples."""
        drawn = synthetic_fleet(
            self.kind, seed=self.seed, vms=self.vms, days=self.days, chosen=chosen
        )
        return drawn.part(np.arange(drawn.vms), span)


def samples_of(days: float) -> int:
    """How many samples of a minute a fleet of so many days has."""
    return max(2, round(days * DAY_S / SAMPLE_S))


def name_of(kind: str, number: int) -> str:
    """What one of its VMs is called."""
    return f"{kind}-{number:04d}"


def _spell(time_s: Ratios, start_s: Ratios, last_s: Ratios, ramp_s: float) -> Ratios:
    """1 from start on for so long, with straight flanks; 0 otherwise."""
    since = time_s - start_s
    rising = np.clip(since / ramp_s, 0.0, 1.0)
    falling = np.clip(1.0 - (since - last_s) / ramp_s, 0.0, 1.0)
    spell: Ratios = np.minimum(rising, falling)
    return spell


def _diurnal(draw: _Draw, time_s: Ratios) -> Ratios:
    """Office hours: days are in step, and not quite."""
    base, day = draw.between(0.05, 0.20), draw.between(0.10, 0.45)
    busy_s = (13.0 + 3.0 * (draw.column() - 0.5)) * HOUR_S
    rhythm = (1.0 + np.cos(2 * np.pi * (time_s - busy_s) / DAY_S)) / 2
    ratios: Ratios = base + day * rhythm * rhythm
    return ratios


def _bursty(draw: _Draw, time_s: Ratios) -> Ratios:
    """Everybody bursts by itself, some six times a day, to most of its memory, for a while."""
    ratios = draw.between(0.03, 0.12) + np.zeros((1, len(time_s)))
    length_s = time_s[-1] + SAMPLE_S
    for _ in range(max(1, round(6 * length_s / DAY_S))):
        start = draw.column() * length_s
        last = 120.0 + 1800.0 * draw.column() ** 3
        height = draw.between(0.2, 0.85)
        ratios = np.maximum(ratios, height * _spell(time_s, start, last, SAMPLE_S))
    return ratios


def _batch(draw: _Draw, time_s: Ratios) -> Ratios:
    """Jobs at night, started by the hour: ramps of twenty minutes, for one to four hours."""
    base, height = draw.between(0.03, 0.10), draw.between(0.35, 0.85)
    hour = np.array([22.0, 0.0, 2.0, 4.0])[draw.whole(4)][:, np.newaxis]
    start = hour * HOUR_S + 300.0 * draw.column()
    last = draw.between(1.0, 4.0) * HOUR_S
    of_day = np.maximum(
        _spell(time_s % DAY_S, start, last, 1200.0),
        _spell(time_s % DAY_S + DAY_S, start, last, 1200.0),  # begun the evening before
    )
    return np.maximum(base, height * of_day)


BOOT_S = np.array([[480.0]])


def _boot_storm(draw: _Draw, time_s: Ratios) -> Ratios:
    """Desktops: all boot within ten minutes, at the start and at seven every day, and settle."""
    base = draw.between(0.05, 0.20)
    height, later = draw.between(0.5, 0.95), draw.column() * 600.0
    boots = _spell(time_s, later, BOOT_S, 120.0)
    mornings = _spell(time_s % DAY_S, 7 * HOUR_S + later, BOOT_S, 120.0)
    return np.maximum(base, height * np.maximum(boots, mornings))


def _patch_night(draw: _Draw, time_s: Ratios) -> Ratios:
    """Quiet, but for the hour from two in the first night: everybody unpacks and rebuilds."""
    base, height = draw.between(0.05, 0.20), draw.between(0.30, 0.70)
    start = 2 * HOUR_S + draw.column() * HOUR_S
    last = draw.between(600.0, 1800.0)
    return np.maximum(base, height * _spell(time_s % (7 * DAY_S), start, last, 120.0))


def _correlated(draw: _Draw, time_s: Ratios) -> Ratios:
    """One load for all, as behind a balancer: it wanders, jumps, and everybody follows."""
    base, share = draw.between(0.04, 0.12), draw.between(0.2, 0.6)
    steps = draw.of_time(len(time_s)) - 0.5
    jumps = (draw.of_time(len(time_s)) < 0.002) * (draw.of_time(len(time_s)) - 0.4)
    load, level = np.zeros(len(time_s)), 0.3
    for t in range(len(time_s)):
        level = min(1.0, max(0.0, level + 0.02 * steps[t] + jumps[t] + 0.01 * (0.3 - level)))
        load[t] = level
    ratios: Ratios = base + share * load
    return ratios


_SHAPES: Mapping[str, _Shape] = MappingProxyType(
    {
        "diurnal": _diurnal,
        "bursty": _bursty,
        "batch": _batch,
        "boot-storm": _boot_storm,
        "patch-night": _patch_night,
        "correlated": _correlated,
    }
)

KINDS: tuple[str, ...] = ("mixed", *_SHAPES)
"""Names of synthetic fleets; ``mixed`` has rhythms, bursts and a few that follow one another."""
