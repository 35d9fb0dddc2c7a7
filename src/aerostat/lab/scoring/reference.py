"""What an unconstrained guest does a second, by the size of its hot set."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aerostat.lab.recording import ArmRecording, GuestSecond
from aerostat.lab.scoring.window import measured_seconds

UNCONSTRAINED = "unconstrained"


def reference_rates(arms: Iterable[ArmRecording]) -> Mapping[int, float]:
    """Operations a second by hot size, over all valid unconstrained arms; empty without one."""
    served: defaultdict[int, list[int]] = defaultdict(list)
    for arm in arms:
        if arm.policy != UNCONSTRAINED or arm.why_invalid is not None:
            continue
        for second in measured_seconds(arm):
            for row in second.guests.values():
                if row.workload is not None:
                    served[row.hot_bytes].append(row.workload.served)
    return {hot_bytes: sum(counts) / len(counts) for hot_bytes, counts in served.items()}


def against_reference(
    rows: Sequence[GuestSecond], rates: Mapping[int, float]
) -> tuple[int, float] | None:
    """Operations done, and those an unconstrained guest would have, in the same seconds.

    Seconds at a hot size that no unconstrained guest had are left out of both. ``None``: no second
    can be compared.
    """
    compared = [
        (row.workload.served, rates[row.hot_bytes])
        for row in rows
        if row.workload is not None and row.hot_bytes in rates
    ]
    expected = sum(rate for _, rate in compared)
    if expected <= 0:
        return None
    return sum(served for served, _ in compared), expected
