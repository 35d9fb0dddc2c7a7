"""From recorded probes to constants: what moves tell directly, and the rest by least squares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from aerostat.lab.calibration.least_squares import Vector, fit
from aerostat.lab.calibration.moves import told_by_moves
from aerostat.lab.calibration.play import play_simulated
from aerostat.lab.calibration.probe import RAM_BYTES, RATE, ProbeRecord
from aerostat.lab.recording import WorkloadSample
from aerostat.sim.calibration import Constants
from aerostat.units import MIB

BY_LEAST_SQUARES = (
    "system_bytes",
    "request_cpu_s",
    "first_touch_s",
    "page_in_s",
    "out_bytes_per_s",
)
"""These act together: what a guest serves under pressure tells of all of them."""

_SWAP_SCALE = 100 * MIB
"""A difference of so much swapped counts like one of all requests in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Constants of one round of probes, and how far simulated guests of them are off.

    ``left`` is the root mean square of the residuals: shares of requests, of RAM, and of 100 MiB
    swapped.
    """

    values: Mapping[str, float]
    left: float


def fit_round(
    records: Sequence[ProbeRecord], start: Constants, on_progress: Callable[[str], None]
) -> Fit:
    """Fit one round of probes, each played once."""
    told = told_by_moves(records)
    begun = start.with_values(told)
    first = np.array([begun.value(name) for name in BY_LEAST_SQUARES])

    def residuals(values: Vector) -> Vector:
        named = dict(zip(BY_LEAST_SQUARES, values.tolist(), strict=True))
        tried = begun.with_values(named)
        apart = np.concatenate([_apart(r, play_simulated(r.probe, tried)) for r in records])
        on_progress(f"fitting: off by {np.sqrt((apart**2).mean()):.4f}")
        return apart

    values, left = fit(residuals, first)
    return Fit(
        values={**told, **dict(zip(BY_LEAST_SQUARES, values.tolist(), strict=True))}, left=left
    )


def together(rounds: Sequence[Fit], start: Constants) -> Constants:
    """The median of each constant over the rounds, with the least and the greatest."""
    names = [name for name in rounds[0].values if all(name in r.values for r in rounds)]
    values = {name: [r.values[name] for r in rounds] for name in names}
    constants = start.with_values({name: median(seen) for name, seen in values.items()})
    return replace(constants, spread={n: (min(seen), max(seen)) for n, seen in values.items()})


def _apart(real: ProbeRecord, simulated: ProbeRecord) -> Vector:
    """By how much two plays of a probe differ, second by second."""
    grid = np.arange(1.0, real.probe.duration_s)
    parts = []
    for scale, of in _SERIES:
        lines = [_line(record, of, grid) for record in (real, simulated)]
        parts.append((lines[0] - lines[1]) / scale)
    tracks = [
        np.interp(grid, [at for at, _ in r.actual], [float(size) for _, size in r.actual])
        for r in (real, simulated)
    ]
    parts.append((tracks[0] - tracks[1]) / RAM_BYTES)
    offered = np.maximum(RATE, np.diff(_total(real, lambda s: s.offered, grid), prepend=0.0))
    done = [_total(record, lambda s: s.served, grid) for record in (real, simulated)]
    parts.append((np.diff(done[0], prepend=0.0) - np.diff(done[1], prepend=0.0)) / offered)
    apart: Vector = np.concatenate(parts)
    return apart


_SERIES: tuple[tuple[float, Callable[[WorkloadSample], float]], ...] = (
    (_SWAP_SCALE, lambda sample: sample.swap_in_bytes),
    (_SWAP_SCALE, lambda sample: sample.swap_out_bytes),
    (RAM_BYTES, lambda sample: sample.heap_bytes),
)


def _line(record: ProbeRecord, of: Callable[[WorkloadSample], float], grid: Vector) -> Vector:
    times = [at for at, _ in record.samples]
    line: Vector = np.interp(grid, times, [float(of(sample)) for _, sample in record.samples])
    return line


def _total(record: ProbeRecord, of: Callable[[WorkloadSample], float], grid: Vector) -> Vector:
    """The sum so far of what each second reports for itself."""
    times = [at for at, _ in record.samples]
    sums = np.cumsum([float(of(sample)) for _, sample in record.samples])
    total: Vector = np.interp(grid, times, sums)
    return total
