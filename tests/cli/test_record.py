"""``aerostat record export``: a store in, one Parquet file out, or a sentence that says why not."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aerostat.cli.main import app
from aerostat.ports.errors import AerostatError
from aerostat.store import Retention
from aerostat.store.recording import open_recording
from builders import Guest, World
from recorded_rounds import Recorder, remember

pytest.importorskip("pyarrow")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    recorder = Recorder(world=World(guests=[Guest(name="db-1")]))
    remember(path, recorder.rounds(30), retention=Retention(tape_s=3600.0))
    return path


def export(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["record", "export", *map(str, arguments)])


def test_everything_in_full_is_what_comes_out(stored: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    result = export(path, "--store", stored)
    assert result.exit_code == 0, result.output
    assert "30 rounds of 1 guests, in full" in result.stderr
    assert result.stdout == ""
    assert open_recording(path).header.rounds == 30


def test_thinned_rounds_come_out_when_asked_for(stored: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    assert export(path, "--store", stored, "--thinned").exit_code == 0
    assert not open_recording(path).header.is_full


def test_a_file_is_not_written_over_unasked(stored: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("precious")
    result = export(path, "--store", stored)
    assert isinstance(result.exception, AerostatError)
    assert "--force" in str(result.exception)
    assert path.read_text() == "precious"
    assert export(path, "--store", stored, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "1m"], "--record 1h"),  # its clock is that of the test's world
        (["--since", "soon"], "soon"),
        (["--store", "nowhere.db"], "no such store"),
    ],
)
def test_what_cannot_be_is_told(
    arguments: list[str], words: str, stored: Path, tmp_path: Path
) -> None:
    result = export(tmp_path / "a.parquet", "--store", stored, *arguments)
    assert result.exit_code != 0
    assert words in f"{result.output} {result.exception}"
    assert not (tmp_path / "a.parquet").exists()


def test_the_directory_has_to_be_there(stored: Path, tmp_path: Path) -> None:
    result = export(tmp_path / "no" / "a.parquet", "--store", stored)
    assert "no directory" in str(result.exception)
