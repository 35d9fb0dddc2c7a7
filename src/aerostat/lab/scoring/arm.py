"""Scores an arm: each guest over the measured seconds, then their sum."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from aerostat.lab.recording import ArmRecording, Experiment, GuestSecond, WorkloadSample
from aerostat.lab.scoring.counters import advance
from aerostat.lab.scoring.histogram import count_within, merge, percentile_s
from aerostat.lab.scoring.recovery import is_starved, recoveries
from aerostat.lab.scoring.reference import against_reference, reference_rates
from aerostat.lab.scoring.scores import ArmScore, GuestScore
from aerostat.lab.scoring.window import counted_seconds, measured_seconds

Number = TypeVar("Number", int, float)


def score_experiment(experiment: Experiment) -> tuple[ArmScore, ...]:
    """Score every arm of an experiment, in the order they ran."""
    rates = reference_rates(experiment.arms)
    return tuple(score_arm(arm, slo_s=experiment.slo_s, rates=rates) for arm in experiment.arms)


def score_arm(arm: ArmRecording, *, slo_s: float, rates: Mapping[int, float]) -> ArmScore:
    """Score one arm.

    Args:
        arm: What was recorded.
        slo_s: The latency within which a request counts as done in time.
        rates: An unconstrained guest's operations a second by hot size; may be empty.
    """
    names = sorted({guest for second in arm.seconds for guest in second.guests})
    guests = {name: _score_guest(arm, name, slo_s=slo_s, rates=rates) for name in names}
    rows = [row for name in names for row in _rows(arm, name)]
    total = _sum_of(tuple(guests.values()), _score_work(rows, slo_s=slo_s, rates=rates))
    held = [
        second.host_held_bytes
        for second in measured_seconds(arm)
        if second.host_held_bytes is not None
    ]
    total = replace(
        total,
        recoveries=recoveries(arm),
        host_memory_mean_bytes=_mean(held),
        host_memory_peak_bytes=max(held, default=None),
        churn_bytes=arm.churn_bytes if arm.churn_bytes is not None else total.churn_bytes,
    )
    return ArmScore(
        policy=arm.policy,
        repeat=arm.repeat,
        total=total,
        guests=guests,
        why_invalid=arm.why_invalid,
    )


def _rows(arm: ArmRecording, guest: str) -> list[GuestSecond]:
    return [row for second in measured_seconds(arm) if (row := second.guests.get(guest))]


def _score_guest(
    arm: ArmRecording, guest: str, *, slo_s: float, rates: Mapping[int, float]
) -> GuestScore:
    rows = _rows(arm, guest)
    counted = [row for second in counted_seconds(arm) if (row := second.guests.get(guest))]
    held = [row.held_bytes for row in rows if row.held_bytes is not None]
    actual = [row.actual_bytes for row in counted if row.actual_bytes is not None]
    score = _score_work(rows, slo_s=slo_s, rates=rates)
    score = _with_counters(score, [row.workload for row in counted if row.workload])
    return replace(
        score,
        # Lost memory anywhere in the arm spoils it, the warm-up included.
        checksum_errors=advance(
            [
                row.workload.checksum_errors
                for second in arm.seconds
                if (row := second.guests.get(guest)) and row.workload
            ]
        ),
        silent_s=float(len(measured_seconds(arm)) - sum(1 for row in rows if row.workload)),
        recoveries=tuple(entry for entry in recoveries(arm) if entry.guest == guest),
        host_memory_mean_bytes=_mean(held),
        host_memory_peak_bytes=max(held, default=None),
        churn_bytes=_travel(actual) if len(actual) > 1 else None,
    )


def _score_work(
    rows: Sequence[GuestSecond], *, slo_s: float, rates: Mapping[int, float]
) -> GuestScore:
    """What the requests of these seconds say; the rows of several guests may be mixed."""
    samples = [row.workload for row in rows if row.workload is not None]
    if not samples:
        return GuestScore()
    offered = sum(sample.offered for sample in samples)
    served = sum(sample.served for sample in samples)
    histogram = merge(sample.latency_histogram for sample in samples)
    compared = against_reference(rows, rates)
    return GuestScore(
        operations=served,
        offered=offered,
        served_ratio=min(1.0, served / offered) if offered else None,
        within_slo_ratio=min(1.0, count_within(histogram, slo_s) / offered) if offered else None,
        unconstrained_ratio=compared[0] / compared[1] if compared else None,
        latency_p50_s=percentile_s(histogram, 0.50),
        latency_p99_s=percentile_s(histogram, 0.99),
        latency_max_s=max(sample.latency_max_s for sample in samples),
        starved_s=float(sum(1 for sample in samples if is_starved(sample))),
    )


def _with_counters(score: GuestScore, samples: Sequence[WorkloadSample]) -> GuestScore:
    return replace(
        score,
        guest_swap_in_bytes=advance([sample.swap_in_bytes for sample in samples]),
        guest_swap_out_bytes=advance([sample.swap_out_bytes for sample in samples]),
        major_faults=advance([sample.major_faults for sample in samples]),
        refaults=advance([sample.refaults for sample in samples]),
        oom_kills=advance([sample.oom_kills for sample in samples]),
        pressure_some_s=advance([sample.pressure_some_s for sample in samples]),
        pressure_full_s=advance([sample.pressure_full_s for sample in samples]),
    )


def _sum_of(guests: Sequence[GuestScore], work: GuestScore) -> GuestScore:
    """The arm's score: ``work`` over all guests' requests, counters added up."""
    return replace(
        work,
        silent_s=_sum(guest.silent_s for guest in guests),
        guest_swap_in_bytes=_sum(guest.guest_swap_in_bytes for guest in guests),
        guest_swap_out_bytes=_sum(guest.guest_swap_out_bytes for guest in guests),
        major_faults=_sum(guest.major_faults for guest in guests),
        refaults=_sum(guest.refaults for guest in guests),
        pressure_some_s=_sum(guest.pressure_some_s for guest in guests),
        pressure_full_s=_sum(guest.pressure_full_s for guest in guests),
        oom_kills=_sum(guest.oom_kills for guest in guests),
        checksum_errors=_sum(guest.checksum_errors for guest in guests),
        churn_bytes=_sum(guest.churn_bytes for guest in guests),
    )


def _sum(figures: Iterable[Number | None]) -> Number | None:
    known: list[Number] = []
    for figure in figures:
        if figure is None:
            return None
        known.append(figure)
    total = known[0] if known else None
    for figure in known[1:]:
        assert total is not None
        total += figure
    return total


def _mean(figures: Sequence[int]) -> int | None:
    return round(sum(figures) / len(figures)) if figures else None


def _travel(actual_bytes: Sequence[int]) -> int:
    return sum(abs(after - before) for before, after in pairwise(actual_bytes))
