"""Recovery: to the end of the last starved second, of the guest that grew, or not at all."""

from aerostat.lab.recording import ArmRecording
from aerostat.lab.scoring.recovery import recoveries
from aerostat.lab.scoring.scores import Recovery, RecoveryState
from lab_report.rows import BIG, SMALL, arm, phase, sample, second


def grown(served: list[int | None]) -> ArmRecording:
    """A guest that is small for two seconds and then big; ``served`` are the big seconds."""
    rows = [second(at, sample()) for at in (1.0, 2.0)]
    rows += [
        second(at, None if count is None else sample(served=count), hot_bytes=BIG)
        for at, count in enumerate(served, start=3)
    ]
    return arm(rows, phases=[phase(0, 2), phase(2, 2 + len(served), BIG)])


def outcome(served: list[int | None]) -> tuple[RecoveryState, float | None]:
    (entry,) = recoveries(grown(served))
    assert (entry.phase, entry.guest) == (1, "a")
    return entry.state, entry.recovery_s


def test_the_last_starved_second_counts_not_the_first_good_ones() -> None:
    """Right after a change the guest has not grown yet, so it still serves everything."""
    assert outcome([100, 100, 30, 40, 100, 100]) == (RecoveryState.RECOVERED, 4.0)


def test_a_second_that_the_next_one_makes_up_for_is_not_starved() -> None:
    """A report that came late, or a pause of some tenths: nothing was given up."""
    assert outcome([100, 100, 70, 128, 100]) == (RecoveryState.RECOVERED, 0.0)


def test_requests_that_were_given_up_are_not_made_up_for() -> None:
    """What waited for half a second at the end of the thrash is served; the rest was lost."""
    assert outcome([100, 20, 120, 100]) == (RecoveryState.RECOVERED, 2.0)


def test_a_guest_that_never_starved_recovered_at_once() -> None:
    assert outcome([100, 95, 100]) == (RecoveryState.RECOVERED, 0.0)


def test_starving_to_the_end_of_the_phase_is_no_recovery() -> None:
    assert outcome([100, 30, 40]) == (RecoveryState.NOT_RECOVERED, None)


def test_a_silent_guest_is_not_measured() -> None:
    assert outcome([None, None]) == (RecoveryState.NOT_MEASURED, None)


def test_a_guest_that_shrinks_has_nothing_to_recover_from() -> None:
    rows = [second(1, sample(), hot_bytes=BIG), second(2, sample(served=10), hot_bytes=SMALL)]
    recording = arm(rows, phases=[phase(0, 1, BIG), phase(1, 2, SMALL)])
    assert [entry.phase for entry in recoveries(recording)] == [0]


def test_growing_out_of_the_warm_up_counts() -> None:
    rows = [second(1, sample(), hot_bytes=BIG), second(2, sample())]
    recording = arm(rows, phases=[phase(0, 1, BIG), phase(1, 2, SMALL)])
    assert recoveries(recording) == (
        Recovery(phase=0, guest="a", state=RecoveryState.RECOVERED, recovery_s=0.0),
    )
