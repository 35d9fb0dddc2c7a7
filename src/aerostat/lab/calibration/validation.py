"""A validation as a document and as a table: real beside simulated, goal beside error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

import aerostat
from aerostat.lab.calibration.side_by_side import Row
from aerostat.lab.recording import Experiment
from aerostat.present.wording import format_bytes, format_percent, format_seconds

SCHEMA_NAME = "aerostat.validation/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """One schedule, played by both."""

    schedule: str
    repeats: int
    real: Experiment
    rows: Sequence[Row]


def validation_document(validated: Sequence[Validated], constants: str) -> dict[str, Any]:
    """Write down what was compared; what was not measured is left out."""
    first = validated[0].real
    return {
        "schema": SCHEMA_NAME,
        "aerostat": aerostat.__version__,
        "started": first.started_utc,
        "accelerator": first.accelerator,
        "machine": dict(first.machine),
        "constants": constants,
        "misses": list(misses_of(validated)),
        "schedules": [
            {
                "schedule": one.schedule,
                "repeats": one.repeats,
                "world": dict(one.real.world),
                "void": [
                    {"policy": arm.policy, "repeat": arm.repeat, "why_invalid": arm.why_invalid}
                    for arm in one.real.arms
                    if arm.why_invalid is not None
                ],
                "rows": [_row(row) for row in one.rows],
            }
            for one in validated
        ],
    }


def _row(row: Row) -> Mapping[str, Any]:
    entry = {
        "policy": row.policy,
        "figure": row.figure,
        "real": row.real,
        "simulated": row.simulated,
        "error_ratio": row.error_ratio,
        "noise_ratio": row.noise_ratio,
        "goal_ratio": row.goal_ratio,
        "is_met": row.is_met,
    }
    return {key: value for key, value in entry.items() if value is not None}


def misses_of(validated: Sequence[Validated]) -> tuple[str, ...]:
    """A sentence for each goal that was not met."""
    return tuple(
        f"{one.schedule}, {row.policy}: {_LABELS[row.figure]} is {_share(row.error_ratio)} apart "
        f"(goal {_share(row.goal_ratio)})"
        for one in validated
        for row in one.rows
        if row.is_met is False
    )


def validation_table(one: Validated) -> Table:
    """One schedule's rows for a terminal."""
    title = f"{one.schedule}: real guests ({one.real.accelerator.upper()}) and simulated ones"
    table = Table(title=title, title_justify="left")
    for name in ("policy", "figure", "real", "simulated", "error", "real repeats", "goal"):
        table.add_column(name, justify="left" if name in {"policy", "figure"} else "right")
    for row in one.rows:
        table.add_row(
            row.policy,
            _LABELS[row.figure],
            _told(row.figure, row.real),
            _told(row.figure, row.simulated),
            _share(row.error_ratio),
            _share(row.noise_ratio),
            _goal(row),
        )
    return table


_LABELS = {
    "operations": "requests served",
    "recovery_s": "recovery",
    "trajectory": "balloon trajectory, mean of repeats",
    "trajectory_of_runs": "balloon trajectory, run by run",
    "guest_swap_in_bytes": "swapped in",
    "guest_swap_out_bytes": "swapped out",
}


def _told(figure: str, value: float | None) -> str:
    if value is None:
        return ""
    if figure.endswith("_bytes"):
        return format_bytes(value)
    return format_seconds(value) if figure.endswith("_s") else f"{value:,.0f}"


def _share(ratio: float | None) -> str:
    return "" if ratio is None else format_percent(ratio)


def _goal(row: Row) -> str:
    if row.goal_ratio is None:
        return ""
    return f"{format_percent(row.goal_ratio)} {'met' if row.is_met else 'missed'}"
