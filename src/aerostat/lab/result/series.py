"""The seconds of an arm as columns: compact, and all that the plots need."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aerostat.lab.recording import ArmRecording, ArmSecond, GuestSecond, WorkloadSample
from aerostat.lab.scoring.histogram import percentile_s

Cell = int | float | None

_HOST_SIDE = (
    "hot_bytes",
    "actual_bytes",
    "target_bytes",
    "used_bytes",
    "cache_bytes",
    "free_bytes",
    "held_bytes",
)
_COUNTERS = ("swap_in_bytes", "swap_out_bytes", "pressure_some_s")


def series_columns(arm: ArmRecording) -> dict[str, Any]:
    """One list a figure, one cell a second (``null``: not measured); empty columns are left out.

    Swap and pressure are the increase in that second.
    """
    names = sorted({guest for second in arm.seconds for guest in second.guests})
    columns: dict[str, Any] = {
        "elapsed_s": [round(second.elapsed_s, 3) for second in arm.seconds],
        "guests": {name: _guest_columns(arm.seconds, name) for name in names},
    }
    held: list[Cell] = [second.host_held_bytes for second in arm.seconds]
    return columns | _measured({"host_held_bytes": held})


def _guest_columns(seconds: Sequence[ArmSecond], name: str) -> dict[str, list[Cell]]:
    rows = [second.guests.get(name) for second in seconds]
    samples = [row.workload if row else None for row in rows]
    columns: dict[str, list[Cell]] = {
        figure: [_cell(row, figure) for row in rows] for figure in _HOST_SIDE
    }
    columns["offered"] = _each(samples, lambda sample: sample.offered)
    columns["served"] = _each(samples, lambda sample: sample.served)
    columns["latency_p50_s"] = _each(samples, lambda sample: _percentile(sample, 0.50))
    columns["latency_p99_s"] = _each(samples, lambda sample: _percentile(sample, 0.99))
    for counter in _COUNTERS:
        columns[counter] = _increases([_cell(sample, counter) for sample in samples])
    return _measured(columns)


def _each(
    samples: Sequence[WorkloadSample | None], figure: Callable[[WorkloadSample], Cell]
) -> list[Cell]:
    return [None if sample is None else figure(sample) for sample in samples]


def _percentile(sample: WorkloadSample, ratio: float) -> float | None:
    latency_s = percentile_s(sample.latency_histogram, ratio)
    return None if latency_s is None else round(latency_s, 6)


def _cell(row: GuestSecond | WorkloadSample | None, figure: str) -> Cell:
    value: Cell = None if row is None else getattr(row, figure)
    return value


def _increases(readings: Sequence[Cell]) -> list[Cell]:
    """What a cumulative counter gained in each second; a counter that fell was reset."""
    gains: list[Cell] = []
    before: Cell = None
    for reading in readings:
        if reading is None or before is None:
            gains.append(None)
        else:
            gain = reading - before if reading >= before else reading
            gains.append(round(gain, 3) if isinstance(gain, float) else gain)
        before = reading if reading is not None else before
    return gains


def _measured(columns: Mapping[str, list[Cell]]) -> dict[str, list[Cell]]:
    return {
        name: cells for name, cells in columns.items() if any(cell is not None for cell in cells)
    }
