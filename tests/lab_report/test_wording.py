"""Words for figures: never more than was measured, and without false digits."""

import pytest

from aerostat.present.wording import (
    Spread,
    format_bytes,
    format_latency,
    format_percent,
    format_range,
    format_seconds,
    spread_of,
)
from aerostat.units import MIB


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        (0.0, "0.0 %"),
        (0.8666, "86.7 %"),
        (0.99949, "99.9 %"),
        (0.99999, "99.9 %"),  # one request in a hundred thousand was lost: that is not all
        (1.0, "100 %"),
        (1.0000001, "100 %"),
        (1.012, "101.2 %"),
    ],
)
def test_a_share_is_never_rounded_up_to_all(ratio: float, told: str) -> None:
    assert format_percent(ratio) == told


def test_latencies_keep_their_digits_of_meaning() -> None:
    told = [format_latency(latency_s) for latency_s in (0.00314, 0.0204, 0.52, 1.5)]
    assert told == ["3.1 ms", "20 ms", "520 ms", "1.50 s"]


def test_seconds_are_whole_where_that_is_all_there_is() -> None:
    assert [format_seconds(duration_s) for duration_s in (5.0, 1.6667)] == ["5 s", "1.7 s"]


def test_a_range_leaves_out_the_unit_it_shares_with_the_mean() -> None:
    same = Spread(mean=3.0 * MIB, low=2.0 * MIB, high=4.0 * MIB, runs=2)
    assert format_range(same, format_bytes) == "2..4"
    mixed = Spread(mean=3.0 * MIB, low=0.0, high=6.0 * MIB, runs=2)
    assert format_range(mixed, format_bytes) == "0 B..6 MiB"


def test_one_run_has_no_range_and_none_no_spread() -> None:
    one = spread_of([0.5])
    assert one is not None
    assert format_range(one, format_percent) == ""
    assert spread_of([]) is None
