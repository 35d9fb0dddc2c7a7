"""Real beside simulated: what differs, by how much, and whether that meets the goal."""

import json
from dataclasses import replace
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from aerostat.lab.calibration.side_by_side import Row, side_by_side
from aerostat.lab.calibration.validation import Validated, validation_document, validation_table
from aerostat.lab.recording import ArmRecording, Experiment
from lab_report.synthetic import experiment as make_experiment

SCHEMA = json.loads(
    resources.files("aerostat.lab.calibration")
    .joinpath("validation.schema.json")
    .read_text("utf-8")
)


def rows_of(real: Experiment, simulated: Experiment) -> dict[tuple[str, str], Row]:
    return {(row.policy, row.figure): row for row in side_by_side(real, [simulated])}


def changed(experiment: Experiment, *, actual: float = 1.0, served: float = 1.0) -> Experiment:
    """The same with sizes and requests served multiplied."""

    def arm(one: ArmRecording) -> ArmRecording:
        seconds = []
        for second in one.seconds:
            guests = {}
            for name, row in second.guests.items():
                sample = row.workload
                if sample is not None:
                    sample = replace(sample, served=int(sample.served * served))
                size = None if row.actual_bytes is None else int(row.actual_bytes * actual)
                guests[name] = replace(row, actual_bytes=size, workload=sample)
            seconds.append(replace(second, guests=guests))
        return replace(one, seconds=tuple(seconds))

    return replace(experiment, arms=tuple(arm(one) for one in experiment.arms))


def test_the_same_run_is_no_distance_away() -> None:
    """And every policy has every figure."""
    experiment = make_experiment()
    rows = rows_of(experiment, experiment)
    policies = {arm.policy for arm in experiment.arms[1:]}
    assert {policy for policy, _ in rows} == policies
    for (policy, figure), row in rows.items():
        if figure != "trajectory_of_runs":
            assert row.error_ratio == 0.0, (policy, figure)
            assert row.is_met in (True, None)


def test_fewer_requests_and_other_sizes_are_told() -> None:
    experiment = make_experiment()
    policy = experiment.arms[1].policy
    fewer = rows_of(experiment, changed(experiment, served=0.8))
    assert fewer[policy, "operations"].error_ratio == pytest.approx(0.2, abs=0.01)
    assert fewer[policy, "operations"].is_met is False
    one_arm = replace(experiment, arms=experiment.arms[:2])
    smaller = rows_of(one_arm, changed(one_arm, actual=0.9))
    assert 0.02 < (smaller[policy, "trajectory"].error_ratio or 0.0) < 0.1
    assert smaller[policy, "trajectory"].real is None


def test_void_arms_are_left_out() -> None:
    experiment = make_experiment()
    void = tuple(replace(arm, why_invalid="a guest died") for arm in experiment.arms)
    assert side_by_side(replace(experiment, arms=void), [experiment]) == ()


def test_the_document_leaves_out_what_was_not_measured_and_the_table_shows_the_goals() -> None:
    experiment = make_experiment()
    rows = side_by_side(experiment, [experiment])
    one = Validated(schedule="rotate", repeats=1, real=experiment, rows=rows)
    document = validation_document([one], "tcg.toml")
    Draft202012Validator(SCHEMA).validate(document)
    assert document["schema"] == "aerostat.validation/1"
    entries = document["schedules"][0]["rows"]
    assert all(value is not None for entry in entries for value in entry.values())
    trajectory = next(entry for entry in entries if entry["figure"] == "trajectory")
    assert "real" not in trajectory
    table = validation_table(one)
    assert table.row_count == len(rows)
    goals = list(table.columns[-1].cells)
    assert any("met" in str(goal) for goal in goals)
