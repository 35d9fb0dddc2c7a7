"""Which figures of a result document are put before people, in which order, and what is better."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aerostat.present.wording import (
    format_bytes,
    format_count,
    format_latency,
    format_percent,
    format_seconds,
)


class Better(Enum):
    """Which way a figure should go."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"  # a cost or a setting: shown, not judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure: its key in the document and how it is told."""

    key: str
    label: str
    meaning: str
    form: Callable[[float], str]
    better: Better = Better.LOWER

    def of(self, figures: Mapping[str, Any]) -> float | None:
        """Its value in an arm or a guest; ``None`` where it was not measured."""
        value = figures.get(self.key)
        return None if value is None else float(value)


def best_told(measure: Measure, means: Sequence[float]) -> str | None:
    """How the best figure reads, or ``None`` where nothing is judged or all read the same."""
    if measure.better is Better.NEITHER or len({measure.form(mean) for mean in means}) < 2:
        return None
    return measure.form(max(means) if measure.better is Better.HIGHER else min(means))


RECOVERY_LABEL = "Recovery"
RECOVERY_MEANING = (
    "Seconds from a phase change until the guest that grew serves 90 % of what is offered, for good"
)


def measures(slo_s: float | None) -> tuple[Measure, ...]:
    """The rows of the result table, best known first; recovery is told apart from them."""
    within = "Within SLO" if slo_s is None else f"Within {slo_s * 1000:.0f} ms"
    return (*_service(within), *_reclaim(), *_damage(), *_cost())


def _service(within: str) -> tuple[Measure, ...]:
    return (
        Measure(
            key="unconstrained_ratio",
            label="Operations",
            meaning="Requests served, against a guest with all its memory in the same seconds",
            form=format_percent,
            better=Better.HIGHER,
        ),
        Measure(
            key="served_ratio",
            label="Served",
            meaning="Share of the offered requests that were served",
            form=format_percent,
            better=Better.HIGHER,
        ),
        Measure(
            key="within_slo_ratio",
            label=within,
            meaning="Share of the offered requests that were done in this time",
            form=format_percent,
            better=Better.HIGHER,
        ),
        Measure(
            key="starved_s",
            label="Starved",
            meaning="Guest-seconds in which less than 90 % of the offered requests were served",
            form=format_seconds,
        ),
        Measure(
            key="latency_p99_s",
            label="p99 latency",
            meaning="99 of 100 served requests were done in this time, counted from when due",
            form=format_latency,
        ),
    )


def _reclaim() -> tuple[Measure, ...]:
    return (
        Measure(
            key="guest_swap_in_bytes",
            label="Swap in",
            meaning="Read back from swap by the guests",
            form=format_bytes,
        ),
        Measure(
            key="guest_swap_out_bytes",
            label="Swap out",
            meaning="Written to swap by the guests",
            form=format_bytes,
        ),
    )


def _damage() -> tuple[Measure, ...]:
    return (
        Measure(
            key="oom_kills",
            label="OOM kills",
            meaning="Processes the guests' kernels killed for want of memory",
            form=format_count,
        ),
        Measure(
            key="checksum_errors",
            label="Checksum errors",
            meaning="Reads that did not give what was written",
            form=format_count,
        ),
    )


def _cost() -> tuple[Measure, ...]:
    return (
        Measure(
            key="host_memory_mean_bytes",
            label="Held, mean",
            meaning="What the host itself measured the guests to hold",
            form=format_bytes,
            better=Better.NEITHER,
        ),
        Measure(
            key="host_memory_peak_bytes",
            label="Held, peak",
            meaning="The same, at its highest",
            form=format_bytes,
            better=Better.NEITHER,
        ),
        Measure(
            key="churn_bytes",
            label="Churn",
            meaning="Memory moved: the sum of all changes of what the guests hold",
            form=format_bytes,
            better=Better.NEITHER,
        ),
        Measure(
            key="daemon_cpu_s",
            label="Balancer CPU",
            meaning="CPU time of the balancer itself",
            form=lambda seconds: f"{seconds:.2f} s",
            better=Better.NEITHER,
        ),
    )
