"""Histograms: percentiles lie in their bucket, merge over guests, and know when they are empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.lab.scoring.histogram import bucket_of, count_within, merge, percentile_s

histograms = st.dictionaries(st.integers(0, 260), st.integers(0, 1000), max_size=30)


def test_an_empty_histogram_has_no_percentile() -> None:
    assert percentile_s({}, 0.99) is None
    assert percentile_s({5: 0}, 0.99) is None


@pytest.mark.parametrize("latency_s", [1e-6, 0.00012, 0.02, 0.51, 3.0])
def test_a_percentile_is_within_a_bucket_of_the_truth(latency_s: float) -> None:
    told = percentile_s({bucket_of(latency_s): 1000}, 0.5)
    assert told is not None
    assert told == pytest.approx(latency_s, rel=0.06)


@given(histograms, st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_higher_percentile_is_never_lower(
    histogram: dict[int, int], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    below, above = percentile_s(histogram, low), percentile_s(histogram, high)
    if below is None or above is None:
        assert sum(histogram.values()) == 0
    else:
        assert below <= above * (1 + 1e-9)


@given(histograms, histograms)
def test_merging_keeps_every_request(one: dict[int, int], other: dict[int, int]) -> None:
    merged = merge([one, other])
    assert sum(merged.values()) == sum(one.values()) + sum(other.values())


@given(histograms, st.floats(1e-6, 100.0))
def test_requests_within_a_limit_are_some_of_all(histogram: dict[int, int], limit_s: float) -> None:
    assert 0 <= count_within(histogram, limit_s) <= sum(histogram.values()) + 1e-9


def test_the_bucket_a_limit_cuts_counts_in_part() -> None:
    cut = bucket_of(0.02)
    assert 0 < count_within({cut: 100}, 0.02) < 100
    assert count_within({cut - 1: 100}, 0.02) == 100
    assert count_within({cut + 1: 100}, 0.02) == 0
