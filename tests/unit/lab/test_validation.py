"""What ``lab validate`` makes of goals that are missed."""

import pytest
import typer

from aerostat.cli.lab_calibrate import end_with
from aerostat.lab.calibration.side_by_side import Row
from aerostat.lab.calibration.validation import Validated, misses_of, validation_document
from lab_report.rows import experiment, served_arm


def validated(error_ratio: float) -> Validated:
    row = Row(
        policy="static",
        figure="operations",
        real=1000.0,
        simulated=1000.0 * (1 + error_ratio),
        error_ratio=error_ratio,
        goal_ratio=0.1,
    )
    shown = Row(
        policy="static", figure="guest_swap_in_bytes", real=1.0, simulated=2.0, error_ratio=1.0
    )
    real = experiment(served_arm("static", [100, 100]))
    return Validated(schedule="swell", repeats=1, real=real, rows=(row, shown))


def test_a_goal_that_is_missed_is_named_and_fails() -> None:
    misses = misses_of([validated(0.05), validated(0.2)])
    assert misses == ("swell, static: requests served is 20.0 % apart (goal 10.0 %)",)
    assert validation_document([validated(0.2)], "x")["misses"] == list(misses)
    with pytest.raises(typer.Exit) as ended:
        end_with(misses)
    assert ended.value.exit_code == 1


def test_goals_that_are_met_are_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures without a goal are shown and not judged."""
    end_with(misses_of([validated(0.05)]))
    assert capsys.readouterr().err == ""
