"""The verdict is computed, and is as plain when Aerostat did worse."""

import pytest

from aerostat.lab.recording import ArmRecording
from aerostat.lab.result import result_document, verdict
from aerostat.lab.result.verdict import Tone, Verdict
from lab_report.rows import arm, experiment, sample, second, served_arm


def judged(*arms: ArmRecording, accelerator: str = "tcg") -> Verdict:
    return verdict(result_document(experiment(*arms, accelerator=accelerator)))


def test_better_is_said_with_both_numbers() -> None:
    found = judged(served_arm("static", [87]), served_arm("adaptive", [99]))
    assert found.tone is Tone.BETTER
    assert found.headline == (
        "On the same 900 MiB, Aerostat served 99.0 % of the offered load, an even split 87.0 %."
    )


def test_worse_is_said_as_plainly() -> None:
    found = judged(served_arm("static", [87]), served_arm("adaptive", [80]))
    assert found.tone is Tone.WORSE
    assert "served less than an even split: 80.0 %" in found.headline


@pytest.mark.parametrize(
    ("static", "adaptive"),
    [
        ([900], [903]),  # less than two runs of one arm differ by
        ([800, 900], [880, 950]),  # the ranges of the runs overlap
    ],
)
def test_what_may_be_noise_is_no_difference(static: list[int], adaptive: list[int]) -> None:
    arms = [served_arm("static", [served], offered=1000) for served in static]
    arms += [served_arm("adaptive", [served], offered=1000) for served in adaptive]
    found = judged(*arms)
    assert found.tone is Tone.EVEN
    assert "no clear difference" in found.headline


def test_an_invalid_arm_is_not_judged_and_is_named() -> None:
    broken = arm([second(1, sample())], why_invalid="foreign load of 1.9 cores")
    found = judged(served_arm("static", [87]), broken)
    assert found.tone is Tone.OPEN
    assert "Aerostat: a run does not count: foreign load of 1.9 cores" in found.details


def test_kills_and_lost_memory_are_never_left_out() -> None:
    rows = [second(1, sample()), second(2, sample(oom_kills=2, checksum_errors=1))]
    found = judged(served_arm("static", [87]), arm(rows))
    assert "Aerostat: 2 OOM kills." in found.details
    assert "Aerostat: 1 checksum errors." in found.details


def test_a_simulation_says_so() -> None:
    found = judged(
        served_arm("static", [87]), served_arm("adaptive", [99]), accelerator="simulated"
    )
    assert any("SIMULATED" in line for line in found.details)


def test_single_runs_are_called_that() -> None:
    found = judged(served_arm("static", [87]), served_arm("adaptive", [99]))
    assert any(line.startswith("One run of each") for line in found.details)


def test_nothing_to_compare_is_no_verdict() -> None:
    assert judged(served_arm("static", [87])).tone is Tone.OPEN
