"""Files of fitted constants, and the fit: it finds those of a guest it has not seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aerostat.lab.calibration.fitting import Fit, fit_round, together
from aerostat.lab.calibration.least_squares import Vector, fit
from aerostat.lab.calibration.moves import told_by_moves
from aerostat.lab.calibration.play import play_simulated
from aerostat.lab.calibration.probe import PROBES
from aerostat.sim.calibration import (
    FITTED,
    UNCALIBRATED,
    CalibrationError,
    calibrated_for,
    read_constants,
    write_constants,
)
from aerostat.units import MIB

TRUTH = UNCALIBRATED.with_values(
    {
        "system_bytes": 26 * MIB,
        "request_cpu_s": 0.00002,
        "first_touch_s": 0.00004,
        "page_in_s": 0.0006,
        "out_bytes_per_s": 60.0 * MIB,
        "reclaim_blind_ratio": 0.8,
        "inflate_bytes_per_s": 700.0 * MIB,
        "deflate_bytes_per_s": 1500.0 * MIB,
    }
)


def test_constants_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "tcg.toml"
    spread = {"page_in_s": (0.0005, 0.0007), "system_bytes": (20e6, 30e6)}
    about: dict[str, str | int | float] = {
        "accelerator": "tcg",
        "date": "2026-11-23",
        "machine": 'a "quoted" name',
        "repeats": 3,
    }
    write_constants(path, replace(TRUTH, spread=spread), about)
    read = read_constants(path)
    assert read.swap.page_in_s == pytest.approx(0.0006)
    assert read.guest.system_bytes == pytest.approx(26 * MIB, rel=1e-5)
    assert read.spread == spread
    assert read.guest.first_touch_s == UNCALIBRATED.guest.first_touch_s, "it was not fitted"
    assert "tcg.toml" in read.source
    assert "2026-11-23" in read.source


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date = 3", "no table"),
        ("[constants.colour]\nvalue=1\nleast=1\ngreatest=1", "colour cannot be fitted"),
        ("[constants.page_in_s]\nvalue=1\nleast=1", "write value, least and greatest"),
        ("[constants.page_in_s]\nvalue=-1\nleast=1\ngreatest=1", "write value, least"),
        ("[constants.page_in_s]\nvalue=nan\nleast=1\ngreatest=1", "write value, least"),
        ("[constants", "no file of constants"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=words) as error:
        read_constants(path)
    assert str(path) in str(error.value)


def test_without_a_file_for_an_accelerator_the_page_counts() -> None:
    assert calibrated_for("abacus") is UNCALIBRATED


def test_every_constant_that_can_be_fitted_is_one() -> None:
    for name in FITTED:
        assert TRUTH.value(name) >= 0


def test_least_squares_find_the_bottom() -> None:
    """Of a curve that is not a line."""
    x = np.linspace(0.0, 3.0, 40)

    def apart(numbers: Vector) -> Vector:
        seen: Vector = numbers[0] * np.exp(-numbers[1] * x) - 5.0 * np.exp(-0.7 * x)
        return seen

    found, left = fit(apart, np.array([1.0, 2.0]))
    assert found == pytest.approx([5.0, 0.7], rel=1e-3)
    assert left < 1e-3


def test_moves_tell_how_fast_a_balloon_goes() -> None:
    """To the 50 ms in which the simulated world steps."""
    told = told_by_moves([play_simulated(probe, TRUTH) for probe in PROBES[:3]])
    assert told["inflate_bytes_per_s"] == pytest.approx(700 * MIB, rel=0.15)
    assert told["deflate_bytes_per_s"] == pytest.approx(1500 * MIB, rel=0.15)
    assert told["kernel_fixed_bytes"] == pytest.approx(TRUTH.guest.kernel_fixed_bytes, rel=0.01)
    assert told["reclaim_blind_ratio"] == pytest.approx(0.8, abs=0.25)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_fit_finds_the_constants_of_a_guest_it_has_not_seen() -> None:
    """What they do together is found; single ones are told less well, and the page says so."""
    records = [play_simulated(probe, TRUTH) for probe in PROBES]
    found = fit_round(records, UNCALIBRATED, lambda _: None)
    assert found.left < 0.05
    assert found.values["page_in_s"] == pytest.approx(0.0006, rel=0.1)
    assert found.values["request_cpu_s"] == pytest.approx(0.00002, rel=0.2)
    assert found.values["out_bytes_per_s"] == pytest.approx(60 * MIB, rel=0.5)


def test_several_rounds_give_a_median_and_its_spread() -> None:
    rounds = [Fit(values={"page_in_s": v}, left=0.0) for v in (0.0004, 0.0009, 0.0005)]
    constants = together(rounds, UNCALIBRATED)
    assert constants.swap.page_in_s == 0.0005
    assert constants.spread["page_in_s"] == (0.0004, 0.0009)


def test_constants_of_real_guests_come_along() -> None:
    """Fitted under TCG; every constant that is fitted is there, and says where it is from."""
    constants = calibrated_for("tcg")
    assert set(constants.spread) == set(FITTED)
    assert "tcg" in constants.source
    for name, (least, greatest) in constants.spread.items():
        assert least <= constants.value(name) * 1.001, name
        assert constants.value(name) <= greatest * 1.001, name
