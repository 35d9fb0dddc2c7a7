import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.config.values import (
    read_amount,
    read_duration,
    read_share,
    read_size,
    read_weight,
    write_amount,
    write_duration,
    write_share,
    write_size,
)
from aerostat.model.limits import Amount


@given(st.integers(min_value=1, max_value=2**50))
def test_a_size_is_read_as_it_was_written(size_bytes: int) -> None:
    """`config show` must print what can be pasted back."""
    assert read_size(write_size(size_bytes)) == size_bytes


@given(st.integers(min_value=0, max_value=10_000))
def test_a_share_is_read_as_it_was_written(basis_points: int) -> None:
    """Percentages go through floats: they must come back."""
    ratio = basis_points / 10_000
    assert read_share(write_share(ratio)) == pytest.approx(ratio, abs=1e-12)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_is_read_as_it_was_written(duration_ms: int) -> None:
    """Milliseconds are the finest that a duration can say."""
    assert read_duration(write_duration(duration_ms / 1000)) == pytest.approx(duration_ms / 1000)


def test_an_amount_is_a_size_or_a_share() -> None:
    """Both ways of saying it, back and forth."""
    for text, amount in (
        ("1536MiB", Amount(size_bytes=1536 << 20)),
        ("12.5%", Amount(max_ratio=0.125)),
    ):
        assert read_amount(text) == amount
        assert write_amount(amount) == text


ANY_TOML = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(ANY_TOML)
def test_readers_return_or_raise_value_error(value: object) -> None:
    """Anything else would reach the operator as a traceback."""
    for read in (read_size, read_share, read_amount, read_duration, read_weight):
        with contextlib.suppress(ValueError):
            assert read(value) is not None


@pytest.mark.parametrize("text", ["9" * 400 + "GiB", "0GiB", "10", "2GB", "10%", ""])
def test_sizes_that_are_none_are_refused(text: str) -> None:
    """Zero, overflow, no unit and decimal units all have caused harm somewhere."""
    with pytest.raises(ValueError, match=r"size|range|unit"):
        read_size(text)


@pytest.mark.parametrize("value", ["25", "-5%", "101%", "%", "\u0661\u0660%", "1.2.3%", 0.25])
def test_shares_that_are_none_are_refused(value: object) -> None:
    """A share is a percentage from 0 to 100, in digits everybody can read."""
    with pytest.raises(ValueError, match=r"share|100%"):
        read_share(value)
