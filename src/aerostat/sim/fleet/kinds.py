"""Synthetic fleets by name: how VMs' use of memory moves, drawn from a seed.

Each kind has one trouble in it, as an operator would name it; none is a substitute for a trace of
the operator's own fleet. Sizes come out of plain uniform numbers, so that a seed is a fleet.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from aerostat.sim.fleet.synthetic import SIZES_GIB, synthetic_trace
from aerostat.sim.trace import Trace
from aerostat.units import GIB

SAMPLE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0

Ratios = npt.NDArray[np.float64]
_Shape = Callable[[np.random.Generator, int, Ratios], Ratios]


def synthetic_fleet(kind: str, *, seed: int, vms: int, days: float) -> Trace:
    """Draw a fleet; the same arguments give the same one.

    Args:
        kind: one of ``KINDS``.
        seed: of everything that is drawn.
        vms: how many VMs.
        days: how long, in samples of a minute (``mixed``: of five).
    """
    assert vms > 0
    if kind == "mixed":
        return synthetic_trace(seed=seed, vms=vms, samples=max(2, round(days * 288)))
    draw = np.random.Generator(np.random.Philox(key=seed))
    sizes = np.array(SIZES_GIB, dtype=np.int64)[_whole(draw, vms, len(SIZES_GIB))] * GIB
    samples = max(2, round(days * DAY_S / SAMPLE_S))
    time_s = np.arange(samples, dtype=np.float64) * SAMPLE_S
    ratios = _SHAPES[kind](draw, vms, time_s)
    ratios += 0.01 * (draw.random(ratios.shape) - 0.5)
    used = (np.clip(ratios, 0.01, 1.0) * sizes[:, np.newaxis]).astype(np.int64)
    return Trace(
        name=kind,
        max_bytes=sizes,
        used_bytes=used,
        sample_s=SAMPLE_S,
        names=tuple(f"{kind}-{number:04d}" for number in range(vms)),
    )


def _between(draw: np.random.Generator, low: float, high: float, vms: int) -> Ratios:
    """A number for each VM, as a column."""
    return low + (high - low) * draw.random((vms, 1))


def _whole(draw: np.random.Generator, count: int, below: int) -> npt.NDArray[np.int64]:
    return (draw.random(count) * below).astype(np.int64)


def _spell(time_s: Ratios, start_s: Ratios, last_s: Ratios, ramp_s: float) -> Ratios:
    """1 from start on for so long, with straight flanks; 0 otherwise."""
    since = time_s - start_s
    rising = np.clip(since / ramp_s, 0.0, 1.0)
    falling = np.clip(1.0 - (since - last_s) / ramp_s, 0.0, 1.0)
    spell: Ratios = np.minimum(rising, falling)
    return spell


def _diurnal(draw: np.random.Generator, vms: int, time_s: Ratios) -> Ratios:
    """Office hours: days are in step, and not quite."""
    base, day = _between(draw, 0.05, 0.20, vms), _between(draw, 0.10, 0.45, vms)
    busy_s = (13.0 + 3.0 * (draw.random((vms, 1)) - 0.5)) * HOUR_S
    rhythm = (1.0 + np.cos(2 * np.pi * (time_s - busy_s) / DAY_S)) / 2
    ratios: Ratios = base + day * rhythm * rhythm
    return ratios


def _bursty(draw: np.random.Generator, vms: int, time_s: Ratios) -> Ratios:
    """Everybody bursts by itself, some six times a day, to most of its memory, for a while."""
    ratios = _between(draw, 0.03, 0.12, vms) + np.zeros((vms, len(time_s)))
    length_s = time_s[-1] + SAMPLE_S
    for _ in range(max(1, round(6 * length_s / DAY_S))):
        start = draw.random((vms, 1)) * length_s
        last = 120.0 + 1800.0 * draw.random((vms, 1)) ** 3
        height = _between(draw, 0.2, 0.85, vms)
        ratios = np.maximum(ratios, height * _spell(time_s, start, last, SAMPLE_S))
    return ratios


def _batch(draw: np.random.Generator, vms: int, time_s: Ratios) -> Ratios:
    """Jobs at night, started by the hour: ramps of twenty minutes, for one to four hours."""
    base, height = _between(draw, 0.03, 0.10, vms), _between(draw, 0.35, 0.85, vms)
    hour = np.array([22.0, 0.0, 2.0, 4.0])[_whole(draw, vms, 4)][:, np.newaxis]
    start = hour * HOUR_S + 300.0 * draw.random((vms, 1))
    last = _between(draw, 1.0, 4.0, vms) * HOUR_S
    of_day = np.maximum(
        _spell(time_s % DAY_S, start, last, 1200.0),
        _spell(time_s % DAY_S + DAY_S, start, last, 1200.0),  # begun the evening before
    )
    return np.maximum(base, height * of_day)


def _boot_storm(draw: np.random.Generator, vms: int, time_s: Ratios) -> Ratios:
    """Desktops: all boot within ten minutes, at the start and at seven every day, and settle."""
    base = _between(draw, 0.05, 0.20, vms)
    height, later = _between(draw, 0.5, 0.95, vms), draw.random((vms, 1)) * 600.0
    boots = _spell(time_s, later, np.full((vms, 1), 480.0), 120.0)
    mornings = _spell(time_s % DAY_S, 7 * HOUR_S + later, np.full((vms, 1), 480.0), 120.0)
    return np.maximum(base, height * np.maximum(boots, mornings))


def _patch_night(draw: np.random.Generator, vms: int, time_s: Ratios) -> Ratios:
    """Quiet, but for the hour from two in the first night: everybody unpacks and rebuilds."""
    base, height = _between(draw, 0.05, 0.20, vms), _between(draw, 0.30, 0.70, vms)
    start = 2 * HOUR_S + draw.random((vms, 1)) * HOUR_S
    last = _between(draw, 600.0, 1800.0, vms)
    return np.maximum(base, height * _spell(time_s % (7 * DAY_S), start, last, 120.0))


def _correlated(draw: np.random.Generator, vms: int, time_s: Ratios) -> Ratios:
    """One load for all, as behind a balancer: it wanders, jumps, and everybody follows."""
    base, share = _between(draw, 0.04, 0.12, vms), _between(draw, 0.2, 0.6, vms)
    steps = draw.random(len(time_s)) - 0.5
    jumps = (draw.random(len(time_s)) < 0.002) * (draw.random(len(time_s)) - 0.4)
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
