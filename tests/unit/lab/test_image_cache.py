"""A cache that several builders fill holds whole images only."""

from pathlib import Path

import pytest

from aerostat.lab.image.cache import cache_directory, publish, scratch_directory


def test_the_first_builder_wins_and_the_second_does_no_harm(tmp_path: Path) -> None:
    final = tmp_path / "images" / "digest"
    for builder in ("first", "second"):
        with scratch_directory(tmp_path) as scratch:
            (scratch / "image").mkdir()
            (scratch / "image" / "made-by").write_text(builder)
            publish(scratch / "image", final)
    assert (final / "made-by").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_a_builder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with scratch_directory(tmp_path / "cache") as scratch:
            (scratch / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AEROSTAT_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_directory() == Path.home() / ".cache" / "aerostat"
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_directory() == Path("/x/aerostat")
    monkeypatch.setenv("AEROSTAT_CACHE", "/own")
    assert cache_directory() == Path("/own")
