"""The measurement as a document; what was not measured is left out, never 0."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import aerostat
from aerostat.lab.burst.found import Burst, Bursts
from aerostat.lab.burst.summary import (
    FIRST_PAGE_GOAL_S,
    NEVER,
    TO_RAW_GOAL,
    ArmSummary,
    Spread,
    summaries,
)

SCHEMA = "aerostat.burst/1"


def burst_document(found: Bursts) -> dict[str, Any]:
    """Write it down: what every arm comes to, and every burst by itself."""
    arms = summaries(found.bursts)
    return {
        "schema": SCHEMA,
        "aerostat": aerostat.__version__,
        "started": found.started_utc,
        "accelerator": found.accelerator,
        "machine": dict(found.machine),
        "world": dict(found.world),
        "notes": list(found.notes),
        "goals": _goals(arms),
        "arms": [_arm(summary) for summary in arms],
        "bursts": [_burst(burst) for burst in found.bursts],
    }


def _goals(arms: tuple[ArmSummary, ...]) -> dict[str, Any]:
    """What is asked of the arm that is pushed; whether it is met only where that was measured."""
    (pushed,) = (summary for summary in arms if summary.arm.hears_agent)
    first_s = None if pushed.first_page is None else pushed.first_page.p99_s
    ratio = pushed.most_to_raw_ratio
    return {
        "first_page_p99_s": _without_absent(
            {"at_most": FIRST_PAGE_GOAL_S, "is_met": first_s and first_s <= FIRST_PAGE_GOAL_S}
        ),
        "most_to_raw_ratio": _without_absent(
            {"at_most": TO_RAW_GOAL, "is_met": ratio and ratio <= TO_RAW_GOAL}
        ),
    }


def _arm(summary: ArmSummary) -> dict[str, Any]:
    return _without_absent(
        {
            **asdict(summary.arm),
            "played": summary.played,
            "measured": summary.measured,
            **_spread("first_page", summary.first_page),
            **_spread("most", summary.most),
            **_spread("mechanism", summary.mechanism),
            "most_to_raw_ratio": _finite(summary.most_to_raw_ratio),
            "within_raw_ratio": summary.within_raw_ratio,
            "lost_ratio": summary.lost_ratio,
        }
    )


def _spread(name: str, spread: Spread | None) -> dict[str, Any]:
    if spread is None:
        return {}
    times = {"p50": spread.p50_s, "p99": spread.p99_s, "worst": spread.worst_s}
    return {f"{name}_{of}_s": _finite(time_s) for of, time_s in times.items()}


def _burst(burst: Burst) -> dict[str, Any]:
    derived = {"moving_s": burst.moving_s, "mechanism_s": burst.mechanism_s}
    return _without_absent({**asdict(burst), **derived})


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: what never came is absent."""
    return None if value is None or value == NEVER else value


def _without_absent(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
