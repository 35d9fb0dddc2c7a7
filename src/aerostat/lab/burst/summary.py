"""What an arm's bursts come to: medians, the 99th percentile, the worst, and the ratio to raw."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aerostat.lab.burst.found import ARMS, Arm, Burst

P99_BURSTS_MIN = 100
"""Of fewer the 99th percentile would be the worst under another name."""
FIRST_PAGE_GOAL_S = 0.25
TO_RAW_GOAL = 1.5
NEVER = float("inf")
"""What did not come within the deadline counts as longer than everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Times of one kind."""

    p50_s: float
    p99_s: float | None  # None: too few
    worst_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """All bursts of one arm; times are of those that were at rest before, and stalled."""

    arm: Arm
    played: int
    measured: int
    first_page: Spread | None = None  # from the first stall
    most: Spread | None = None  # from the first stall to 90 % of the gap
    mechanism: Spread | None = None  # raw: from the command to 90 % of the gap
    most_to_raw_ratio: float | None = None  # medians: 90 % of the gap, by the raw mechanism's time
    within_raw_ratio: float | None = None  # share of bursts within ``TO_RAW_GOAL`` of that time
    lost_ratio: float | None = None  # of the requests offered meanwhile


def is_measured(burst: Burst) -> bool:
    """Whether its times mean what they are to mean."""
    return burst.was_at_rest and burst.stalled_after_s is not None


def summaries(bursts: Sequence[Burst]) -> tuple[ArmSummary, ...]:
    """One an arm, in the arms' order."""
    raw = [b.mechanism_s for b in bursts if is_measured(b) and b.arm == "raw"]
    mechanism = spread(raw)
    return tuple(_summary(arm, [b for b in bursts if b.arm == arm.name], mechanism) for arm in ARMS)


def spread(times: Iterable[float | None]) -> Spread | None:
    """Their spread, by the nearest rank; None: there are none."""
    ordered = sorted(NEVER if time_s is None else time_s for time_s in times)
    if not ordered:
        return None
    is_enough = len(ordered) >= P99_BURSTS_MIN
    return Spread(
        p50_s=_ranked(ordered, 0.5),
        p99_s=_ranked(ordered, 0.99) if is_enough else None,
        worst_s=ordered[-1],
    )


def _summary(arm: Arm, bursts: Sequence[Burst], mechanism: Spread | None) -> ArmSummary:
    measured = [burst for burst in bursts if is_measured(burst)]
    most = spread(burst.most_s for burst in measured)
    offered = sum(burst.offered for burst in measured)
    raw_s = None if mechanism is None else mechanism.p50_s
    is_compared = most is not None and raw_s is not None and 0 < raw_s < NEVER
    within = [
        b for b in measured if raw_s is not None and (b.most_s or NEVER) <= TO_RAW_GOAL * raw_s
    ]
    return ArmSummary(
        arm=arm,
        played=len(bursts),
        measured=len(measured),
        first_page=spread(burst.first_page_s for burst in measured),
        most=most,
        mechanism=mechanism if arm.is_raw else None,
        most_to_raw_ratio=most.p50_s / raw_s if is_compared and most and raw_s else None,
        within_raw_ratio=len(within) / len(measured) if is_compared else None,
        lost_ratio=sum(burst.lost for burst in measured) / offered if offered else None,
    )


def _ranked(ordered: Sequence[float], ratio: float) -> float:
    return ordered[max(0, math.ceil(ratio * len(ordered)) - 1)]
