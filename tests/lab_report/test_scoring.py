"""Scores: what is measured is right, and what is not measured stays absent."""

import pytest

from aerostat.lab.recording import ArmRecording
from aerostat.lab.scoring import score_arm
from aerostat.lab.scoring.arm import score_experiment
from aerostat.lab.scoring.counters import advance
from aerostat.lab.scoring.reference import reference_rates
from aerostat.lab.scoring.scores import ArmScore
from aerostat.units import MIB
from lab_report import synthetic
from lab_report.rows import (
    BIG,
    IN_TIME,
    LATE,
    SMALL,
    arm,
    phase,
    sample,
    second,
    served_arm,
    together,
)


def scored(recording: ArmRecording) -> ArmScore:
    return score_arm(recording, slo_s=0.02, rates={})


def test_operations_and_ratios_count_what_was_shed_as_offered() -> None:
    score = scored(served_arm("adaptive", [100, 50]))
    assert score.total.operations == 150
    assert score.total.offered == 200
    assert score.total.served_ratio == pytest.approx(0.75)
    assert score.guests["a"].served_ratio == pytest.approx(0.75)


def test_in_time_is_a_share_of_the_offered_not_of_the_served() -> None:
    rows = [second(1, sample(offered=100, served=60, histogram={IN_TIME: 30, LATE: 30}))]
    assert scored(arm(rows)).total.within_slo_ratio == pytest.approx(0.30)


def test_ratios_stop_at_one_when_a_backlog_is_served_inside_the_window() -> None:
    rows = [second(1, sample(offered=100, served=103))]
    assert scored(arm(rows)).total.served_ratio == 1.0
    assert scored(arm(rows)).total.within_slo_ratio == 1.0


def test_latencies_of_all_guests_are_merged_before_the_percentile_is_taken() -> None:
    """The mean of two p99s is nobody's p99."""
    fast = second(1, sample(histogram={IN_TIME: 980}))
    slow = second(1, sample(histogram={LATE: 20}), guest="b")
    both = arm([together(fast, slow)])
    p99 = scored(both).total.latency_p99_s
    assert p99 is not None
    assert 0.104 < p99 < 0.111


def test_starved_seconds_are_those_below_nine_tenths() -> None:
    assert scored(served_arm("static", [89, 90, 100, 10])).total.starved_s == 2.0


def test_silence_is_not_counted_as_starved_nor_as_well_served() -> None:
    rows = [second(1, sample()), second(2, None), second(3, None)]
    score = scored(arm(rows)).guests["a"]
    assert (score.starved_s, score.silent_s) == (0.0, 2.0)


def test_a_guest_that_never_spoke_has_no_figures() -> None:
    score = scored(arm([second(1, None)]))
    assert score.total.operations is None
    assert score.total.latency_p99_s is None
    assert score.guests["a"].guest_swap_in_bytes is None


def test_a_sum_is_absent_when_one_guest_has_no_figure() -> None:
    """A sum over some of the guests would read as a small one."""
    rows = [
        together(second(1, sample()), second(1, None, guest="b")),
        together(second(2, sample(swap_in_bytes=5)), second(2, None, guest="b")),
    ]
    score = scored(arm(rows))
    assert score.guests["a"].guest_swap_in_bytes == 5
    assert score.total.guest_swap_in_bytes is None


def test_the_warm_up_is_not_scored_but_counters_start_from_its_last_row() -> None:
    rows = [
        second(1, sample(served=10, swap_in_bytes=1000)),
        second(2, sample(served=10, swap_in_bytes=3000)),
        second(3, sample(swap_in_bytes=3500)),
    ]
    score = scored(arm(rows, phases=[phase(2, 3)])).total
    assert score.operations == 100
    assert score.guest_swap_in_bytes == 500


def test_checksum_errors_of_the_warm_up_count() -> None:
    rows = [second(1, sample()), second(2, sample(checksum_errors=1)), second(3, sample())]
    rows[2] = second(3, sample(checksum_errors=1))
    assert scored(arm(rows, phases=[phase(2, 3)])).total.checksum_errors == 1


@pytest.mark.parametrize(
    ("readings", "moved"),
    [
        ([5, 7, 7, 10], 5),
        ([5, 7, 1, 3], 5),  # restarted: 2, then 1 from zero, then 2
        ([5, None, 9], 4),
        ([5], None),
        ([None, None], None),
        ([], None),
    ],
)
def test_counters_survive_a_restart_and_need_two_readings(
    readings: list[int | None], moved: int | None
) -> None:
    assert advance(readings) == moved


def test_host_memory_is_mean_and_peak_of_the_measured_seconds() -> None:
    rows = [second(at, sample(), held_bytes=held) for at, held in ((1, 9000), (2, 100), (3, 300))]
    score = scored(arm(rows, phases=[phase(1, 3)])).total
    assert (score.host_memory_mean_bytes, score.host_memory_peak_bytes) == (200, 300)


def test_the_reference_is_an_unconstrained_guest_at_the_same_hot_size() -> None:
    free = arm(
        [second(1, sample(served=100)), second(2, sample(served=50), hot_bytes=BIG)],
        policy="unconstrained",
    )
    rates = reference_rates([free])
    assert rates == {SMALL: 100.0, BIG: 50.0}
    rows = [second(1, sample(served=40), hot_bytes=BIG), second(2, sample(), hot_bytes=7 * MIB)]
    score = score_arm(arm(rows), slo_s=0.02, rates=rates)
    assert score.total.unconstrained_ratio == pytest.approx(0.8)  # the 7 MiB second is left out


def test_an_invalid_unconstrained_arm_is_no_reference() -> None:
    broken = arm([second(1, sample())], policy="unconstrained", why_invalid="a guest died")
    assert reference_rates([broken]) == {}


def test_an_invalid_arm_keeps_its_reason() -> None:
    broken = arm([second(1, sample())], why_invalid="a guest died")
    assert scored(broken).why_invalid == "a guest died"


def test_a_whole_experiment_is_scored_in_the_order_it_ran() -> None:
    scores = score_experiment(synthetic.experiment(repeats=1))
    assert [score.policy for score in scores] == ["unconstrained", "static", "adaptive"]
    assert set(scores[0].guests) == set(synthetic.GUESTS)
