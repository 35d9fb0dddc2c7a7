"""The figures an arm and its guests are judged by. ``None`` is "not measured", never zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

STARVED_BELOW_RATIO = 0.9
"""A guest that serves less than this share of what was offered starves; at or above, it runs."""


class RecoveryState(StrEnum):
    """How a phase change ended for the guest that grew. Values are stable."""

    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"  # still starving in the last second of the phase
    NOT_MEASURED = "not_measured"  # the guest said nothing in this phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a phase change cost the guest that grew in it."""

    phase: int  # counted from 0
    guest: str
    state: RecoveryState
    recovery_s: float | None = None  # from the change to the end of the last starved second


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestScore:
    """One guest in one arm, over the seconds that the schedule's phases cover.

    ``served_ratio`` is served / offered and ``within_slo_ratio`` the share of *offered* requests
    that were done within the experiment's ``slo_s``. Both stop at 1: a request offered at the end
    of the second before the window may be served inside it. Latencies are of served requests.
    ``starved_s`` counts the seconds in which the guest reported and served less than 90 % of what
    was offered; seconds without a report are not in it but in ``silent_s``.
    ``unconstrained_ratio`` is operations over those an unconstrained guest did in as many seconds
    at the same hot sizes.
    """

    operations: int | None = None
    offered: int | None = None
    served_ratio: float | None = None
    within_slo_ratio: float | None = None
    unconstrained_ratio: float | None = None
    latency_p50_s: float | None = None
    latency_p99_s: float | None = None
    latency_max_s: float | None = None
    starved_s: float | None = None
    silent_s: float | None = None
    recoveries: tuple[Recovery, ...] = ()
    guest_swap_in_bytes: int | None = None
    guest_swap_out_bytes: int | None = None
    major_faults: int | None = None
    refaults: int | None = None
    pressure_some_s: float | None = None
    pressure_full_s: float | None = None
    oom_kills: int | None = None
    checksum_errors: int | None = None
    host_memory_mean_bytes: int | None = None
    host_memory_peak_bytes: int | None = None
    churn_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmScore:
    """One arm: the sum over its guests, and each of them.

    A sum is given only where every guest has the figure: a sum over some would read as less.
    """

    policy: str
    repeat: int
    total: GuestScore
    guests: Mapping[str, GuestScore]
    why_invalid: str | None = None
