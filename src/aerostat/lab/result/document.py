"""Builds the result document of an experiment; what was not measured is left out, never 0."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import aerostat
from aerostat.lab.recording import ArmRecording, Experiment, Phase, SpokenDecision, TakeBack
from aerostat.lab.result.series import series_columns
from aerostat.lab.scoring import ArmScore, GuestScore, Recovery, score_experiment
from aerostat.present.schema import SCHEMA_NAME

Document = dict[str, Any]
"""A result document: only JSON's own types, as ``result.schema.json`` describes them."""

_FIGURES = (
    "operations",
    "offered",
    "served_ratio",
    "within_slo_ratio",
    "unconstrained_ratio",
    "latency_p50_s",
    "latency_p99_s",
    "latency_max_s",
    "starved_s",
    "silent_s",
    "guest_swap_in_bytes",
    "guest_swap_out_bytes",
    "major_faults",
    "refaults",
    "pressure_some_s",
    "pressure_full_s",
    "oom_kills",
    "checksum_errors",
    "host_memory_mean_bytes",
    "host_memory_peak_bytes",
    "churn_bytes",
)
_RATIO_DIGITS = 6  # a millionth: finer than any run repeats


def result_document(experiment: Experiment) -> Document:
    """Score an experiment and write it down with its series, so that plots can be drawn again."""
    scores = score_experiment(experiment)
    return {
        "schema": SCHEMA_NAME,
        "aerostat": aerostat.__version__,
        "name": experiment.name,
        "started": experiment.started_utc,
        "accelerator": experiment.accelerator,
        "machine": dict(experiment.machine),
        "world": dict(experiment.world),
        "guest_max_bytes": dict(experiment.guest_max_bytes),
        "slo_s": experiment.slo_s,
        "notes": list(experiment.notes),
        "arms": [
            _arm(arm, score, slo_s=experiment.slo_s)
            for arm, score in zip(experiment.arms, scores, strict=True)
        ],
        **_take_backs(experiment.take_backs),
    }


def _arm(arm: ArmRecording, score: ArmScore, *, slo_s: float) -> Document:
    document: Document = {
        "policy": arm.policy if arm.technique is None else None,
        "technique": arm.technique,
        "title": arm.title,
        "repeat": arm.repeat,
        "valid": arm.why_invalid is None,
        "why_invalid": arm.why_invalid,
        "budget_bytes": arm.budget_bytes,
        "slo_s": slo_s,
        **_figures(score.total),
        "host_swap_in_bytes": arm.host_swap_in_bytes,
        "host_swap_out_bytes": arm.host_swap_out_bytes,
        "host_cpu_s": _rounded(arm.host_cpu_s),
        "daemon_cpu_s": _rounded(arm.daemon_cpu_s),
        "kernel_cpu_s": _rounded(arm.kernel_cpu_s),
        "cpu_split_s": arm.cpu_split_s and {k: _rounded(v) for k, v in arm.cpu_split_s.items()},
        "zswap_in_bytes": arm.zswap_in_bytes,
        "zswap_out_bytes": arm.zswap_out_bytes,
        "taken_back_bytes": arm.taken_back_bytes,
        "foreign_cores": _rounded(arm.foreign_cores),
        "guests": {name: _present(_figures(guest)) for name, guest in score.guests.items()},
        "phases": [_phase(phase) for phase in arm.phases],
        "decisions": [_decision(decision) for decision in arm.decisions],
        "series": series_columns(arm),
    }
    return _present(document)


def _take_backs(taken: Sequence[TakeBack]) -> Document:
    return {"take_back": [_take_back(entry) for entry in taken]} if taken else {}


def _take_back(taken: TakeBack) -> Document:
    return _present({name: _rounded(value) for name, value in asdict(taken).items()})


def _phase(phase: Phase) -> Document:
    return {
        "start_s": phase.start_s,
        "end_s": phase.end_s,
        "hot_bytes": dict(phase.hot_bytes),
    }


def _decision(decision: SpokenDecision) -> Document:
    return {
        "elapsed_s": _rounded(decision.elapsed_s),
        "guest": decision.guest,
        "words": decision.words,
    }


def _figures(score: GuestScore) -> Document:
    document: Document = {name: _rounded(getattr(score, name)) for name in _FIGURES}
    if score.recoveries:
        document["recovery_s"] = [_rounded(entry.recovery_s) for entry in score.recoveries]
        document["recoveries"] = [_recovery(entry) for entry in score.recoveries]
    return document


def _recovery(entry: Recovery) -> Document:
    return _present(
        {
            "phase": entry.phase,
            "guest": entry.guest,
            "state": entry.state.value,
            "recovery_s": _rounded(entry.recovery_s),
        }
    )


def _rounded(figure: float | None) -> float | int | None:
    return round(figure, _RATIO_DIGITS) if isinstance(figure, float) else figure


def _present(document: Mapping[str, Any]) -> Document:
    return {key: value for key, value in document.items() if value is not None}
