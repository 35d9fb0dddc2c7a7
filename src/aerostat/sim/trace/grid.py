"""From rows, or from arrays with holes, to a trace: equal distances, nobody absent.

Clocks jitter, so a row belongs to the sample its time is nearest to; it is never counted through.
Of several rows in one sample the greatest counts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerostat.sim.trace.rows import Rows
from aerostat.sim.trace.trace import Reading, Sizes, Trace, TraceError
from aerostat.units import format_duration, format_size

PRESENT_RATIO_MIN = 0.9
"""A VM that has fewer of the samples than this was not there all the time, and is left out."""
EMPTY_MOST = 20
"""Places for samples to a row, in which a VM that is there for a twentieth of the time still has
its own: more are no trace but mistaken times, and would take gigabytes to find that out."""
CELLS_FREE = 1 << 22
"""So many places nobody minds (32 MiB)."""
MISSING = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """[VM, sample]; ``MISSING`` where there is none."""

    used_bytes: Sizes
    max_bytes: Sizes
    sample_s: float
    names: tuple[str, ...]


def grid_of(rows: Rows, path: Path, reading: Reading) -> tuple[Grid, tuple[str, ...]]:
    """Put rows into samples.

    Raises:
        TraceError: they make none.
    """
    if len(rows.vm) == 0:
        raise TraceError(f"{path}: there is no row with a VM, a time and its memory in it")
    sample_s = reading.sample_s or _usual_distance_s(rows, path)
    sample = np.rint((rows.time_s - rows.time_s.min()) / sample_s).astype(np.int64)
    samples, vms = int(sample.max()) + 1, len(rows.names)
    if samples < 2:
        raise TraceError(f"{path}: all rows are within one sample of {format_duration(sample_s)}")
    if samples * vms > max(CELLS_FREE, EMPTY_MOST * len(rows.vm)):
        raise TraceError(
            f"{path}: {len(rows.vm)} rows are no {samples} samples of {sample_s:g} s of {vms} VMs, "
            f"which is what lies between the first time ({rows.time_s.min():.0f}) and the last one "
            f"({rows.time_s.max():.0f}); is the time in seconds?"
        )
    used, peak = (np.full(vms * samples, MISSING, dtype=np.int64) for _ in range(2))
    cell = rows.vm * samples + sample
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    cells = cell[order][starts]
    used[cells] = np.maximum.reduceat(rows.used_bytes[order], starts).astype(np.int64)
    peak[cells] = np.maximum.reduceat(rows.max_bytes[order], starts).astype(np.int64)
    twice = len(cell) - len(cells)
    notes = (f"{twice} rows fell into the sample of another row: the greatest counts",)
    grid = Grid(
        used_bytes=used.reshape(vms, samples),
        max_bytes=peak.reshape(vms, samples),
        sample_s=sample_s,
        names=rows.names,
    )
    return grid, notes if twice else ()


def _usual_distance_s(rows: Rows, path: Path) -> float:
    """The median distance between samples of one VM, in whole seconds where it is that long."""
    order = np.lexsort((rows.time_s, rows.vm))
    steps = np.diff(rows.time_s[order])
    steps = steps[(np.diff(rows.vm[order]) == 0) & (steps > 0)]
    if len(steps) == 0:
        raise TraceError(f"{path}: no VM has rows at two different times")
    usual = float(np.median(steps))
    usual = float(round(usual)) if usual >= 1 else usual
    if usual > 86_400:
        raise TraceError(
            f"{path}: samples are {usual:g} s apart, more than a day: is the time in seconds?"
        )
    return usual


def trace_of_grid(
    grid: Grid, name: str, path: Path, reading: Reading, notes: tuple[str, ...]
) -> Trace:
    """Keep VMs that are there all the time and of a usual size; hold values through gaps.

    A VM's max is its greatest capacity; use above it is cut off. Both are found on what is known:
    see ``Reading.known_samples``.

    Raises:
        TraceError: no VM is left.
    """
    present = grid.used_bytes != MISSING
    common = present.any(axis=0)
    if not common.any():
        raise TraceError(f"{path}: it holds no samples")
    known = slice(0, len(common))
    if reading.known_samples is not None:
        known = slice(0, reading.known_samples(len(common), grid.sample_s))
    maxima = grid.max_bytes[:, known].max(axis=1)
    always = present[:, known].sum(axis=1) >= PRESENT_RATIO_MIN * max(1, common[known].sum())
    always &= ~(grid.max_bytes[:, known] == 0).any(axis=1)  # stopped at times
    sized = (maxima >= reading.least_bytes) & (maxima <= reading.largest_bytes)
    kept = always & sized
    limits = f"{format_size(reading.least_bytes)} to {format_size(reading.largest_bytes)}"
    if not kept.any():
        raise TraceError(
            f"{path}: none of its {len(kept)} VMs can be used: {int((~always).sum())} are not "
            f"there all the time, {int((always & ~sized).sum())} are not of {limits}"
        )
    used = _held_through_gaps(grid.used_bytes[kept], present[kept])
    above = int((grid.used_bytes[kept] > maxima[kept, np.newaxis]).sum())
    told = {
        "VMs left out: not there all the time": int((~always).sum()),
        f"VMs left out: not of {limits}": int((always & ~sized).sum()),
        "samples above the VM's own memory were cut off": above,
        "samples missing for all VMs at once, filled with the last one": int((~common).sum()),
        "other samples missing, filled with the VM's last one": int(
            (~present[kept] & common).sum()
        ),
    }
    return Trace(
        name=name,
        max_bytes=maxima[kept],
        used_bytes=np.minimum(used, maxima[kept, np.newaxis]),
        sample_s=grid.sample_s,
        names=tuple(vm for vm, is_kept in zip(grid.names, kept, strict=True) if is_kept),
        notes=(*notes, *(f"{count} {what}" for what, count in told.items() if count)),
    )


def _held_through_gaps(used: Sizes, present: npt.NDArray[np.bool_]) -> Sizes:
    """The last value before a gap holds through it; before the first one, the first does."""
    if present.all():
        return used
    number = np.where(present, np.arange(used.shape[1]), -1)
    last = np.maximum.accumulate(number, axis=1)
    first = present.argmax(axis=1)
    source = np.where(last >= 0, last, first[:, np.newaxis])
    return np.take_along_axis(used, source, axis=1)
