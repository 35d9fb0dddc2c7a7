"""A recording is one Parquet file that holds all a store had; what is none is told so."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aerostat.store import Retention, Store, StoreError, open_store
from aerostat.store.errors import DamagedFileError, ForeignFileError
from aerostat.store.recording import (
    export_recording,
    is_recording,
    open_recording,
)
from aerostat.store.recording.columns import all_columns
from aerostat.store.recording.parquet import MissingLibraryError, pyarrow
from aerostat.store.recording.parts import METADATA_KEY
from aerostat.store.recording.read import RecordingReader
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until
from simulated_daemon import simulated_rounds
from store.test_round_trip import EVER
from store.test_tape import HOUR, bare

parquet: Any = pytest.importorskip("pyarrow.parquet")
PAGE = (Path(__file__).parents[2] / "docs" / "recordings.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three minutes of guests that come, go and are reset, in full."""
    path = tmp_path_factory.mktemp("stored") / "a.db"
    with Store(path, retention=HOUR, configuration='{"mode": "enforce"}') as store:
        put(store, simulated_rounds(140.0))
        wait_until(lambda: store.waiting() == 0, "all rounds are taken")
    return path


@pytest.fixture(scope="module")
def recording(stored: Path) -> Path:
    path = stored.with_name("a.parquet")
    exported(stored, path)
    return path


def exported(stored: Path, path: Path, *, is_full: bool = True) -> RecordingReader:
    with open_store(stored) as reader:
        export_recording(reader, path, since_wall_s=0.0, until_wall_s=1e12, is_full=is_full)
    return open_recording(path)


def test_a_recording_holds_every_round_and_all_that_decided_it(
    stored: Path, recording: Path
) -> None:
    with open_store(stored) as reader:
        taped = list(reader.tape(**EVER))
    parts = list(open_recording(recording).parts())
    assert [(p.state, p.params, p.engine, p.rounds) for p in parts] == [
        (t.state, t.params, t.engine, t.rounds) for t in taped
    ]
    assert any(record.events for part in parts for record in part.rounds)
    assert any(record.plan.changes for part in parts for record in part.rounds)


def test_its_header_says_what_is_in_it(recording: Path) -> None:
    header = open_recording(recording).header
    assert header.is_full
    assert (header.parts, header.guests) == (3, 5)
    assert header.last_wall_s - header.first_wall_s == pytest.approx(140.0, abs=2.0)
    (session,) = header.sessions.values()
    assert session.configuration == '{"mode": "enforce"}'


def test_thinned_rounds_are_a_recording_too(stored: Path, tmp_path: Path) -> None:
    reader = exported(stored, tmp_path / "thin.parquet", is_full=False)
    with open_store(stored) as kept:
        rounds = list(kept.rounds(**EVER))
    assert not reader.header.is_full
    assert [record for part in reader.parts() for record in part.rounds] == rounds


def test_rounds_without_guests_or_without_a_host_are_kept(tmp_path: Path) -> None:
    recorder = Recorder(world=World(guests=[]))
    records = recorder.rounds(3)
    recorder.world.memory = None
    recorder.world.guests.append(Guest(name="a\udc80"))
    records += recorder.rounds(3)
    with Store(tmp_path / "a.db", retention=HOUR) as store:
        put(store, records)
        wait_until(lambda: store.waiting() == 0, "all rounds are taken")
    (part,) = exported(tmp_path / "a.db", tmp_path / "a.parquet").parts()
    assert [len(record.snapshot.guests) for record in part.rounds] == [0, 0, 0, 1, 1, 1]
    assert part.rounds[:3] == tuple(bare(record) for record in records[:3])
    assert part.rounds[-1].snapshot.memory is None
    assert part.rounds[-1].snapshot.guests[0].name == "a\\udc80"


def test_counters_that_no_column_takes_are_cut(tmp_path: Path) -> None:
    recorder = Recorder(world=World(guests=[Guest(name="a")]))
    record = recorder.round()
    (guest,) = record.snapshot.guests
    assert guest.statistics is not None
    huge = replace(guest, statistics=replace(guest.statistics, minor_faults=2**64))
    record = replace(record, snapshot=replace(record.snapshot, guests=(huge,)))
    with Store(tmp_path / "a.db", retention=HOUR) as store:
        put(store, [record])
        wait_until(lambda: store.waiting() == 0, "all rounds are taken")
    (part,) = exported(tmp_path / "a.db", tmp_path / "a.parquet").parts()
    read = part.rounds[0].snapshot.guests[0].statistics
    assert read is not None
    assert read.minor_faults == 2**63 - 1


def test_nothing_in_full_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    recorder = Recorder(world=World(guests=[Guest(name="a")]))
    with Store(tmp_path / "a.db", retention=Retention()) as store:
        put(store, recorder.rounds(3))
        wait_until(lambda: store.waiting() == 0, "all rounds are taken")
    with pytest.raises(StoreError, match=r"--record 1h.*--thinned"):
        exported(tmp_path / "a.db", tmp_path / "a.parquet")
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name] == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def muddled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[200:4000] = bytes(3800)
    path.write_bytes(data)


def of_others(path: Path) -> None:
    parquet.write_table(pyarrow().table({"a": [1]}), str(path))


def of_the_future(path: Path) -> None:
    table = parquet.read_table(str(path))
    told = table.schema.metadata or {}
    metadata = parquet.read_metadata(str(path)).metadata
    newer = metadata[METADATA_KEY].replace(b"aerostat.recording/1", b"aerostat.recording/7")
    table = table.replace_schema_metadata({**told, METADATA_KEY: newer})
    parquet.write_table(table, str(path))


def of_unknown_words(path: Path) -> None:
    table = parquet.read_table(str(path))
    index = table.schema.get_field_index("decided_reason")
    words = pyarrow().array(["because"] * table.num_rows)
    metadata = parquet.read_metadata(str(path)).metadata
    table = table.set_column(index, "decided_reason", words)
    table = table.replace_schema_metadata({METADATA_KEY: metadata[METADATA_KEY]})
    parquet.write_table(table, str(path))


@pytest.mark.parametrize(
    ("damage", "error", "words"),
    [
        (lambda path: path.unlink(), StoreError, "there is no such file"),
        (
            lambda path: path.write_text("name,used\n"),
            ForeignFileError,
            "not a recording: .*export",
        ),
        (lambda path: path.write_bytes(b""), ForeignFileError, "not a recording"),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), ForeignFileError, "a store, not"),
        (lambda path: path.write_bytes(b"PAR1PAR1"), DamagedFileError, "cut off"),
        (cut, DamagedFileError, "cut off: its end is missing"),
        (muddled, StoreError, "damaged"),
        (of_others, ForeignFileError, "Parquet file is no recording"),
        (of_the_future, ForeignFileError, "schema 'aerostat.recording/7'.*reads 'aerostat.rec"),
        (of_unknown_words, ForeignFileError, "part 0, from round 1 on, .*'because'"),
    ],
)
def test_what_is_no_good_recording_is_told(
    damage: Callable[[Path], object],
    error: type[Exception],
    words: str,
    recording: Path,
    tmp_path: Path,
) -> None:
    path = tmp_path / "b.parquet"
    path.write_bytes(recording.read_bytes())
    damage(path)
    with pytest.raises(error, match=words) as told:
        list(open_recording(path).parts())
    assert str(path) in str(told.value)


def test_recordings_are_told_from_other_files(recording: Path, tmp_path: Path) -> None:
    other = tmp_path / "trace.parquet"
    of_others(other)
    assert is_recording(recording)
    assert not is_recording(other)
    assert not is_recording(tmp_path)
    assert not is_recording(Path(__file__))


def test_a_column_that_an_older_version_did_not_write_is_absent(
    recording: Path, tmp_path: Path
) -> None:
    table = parquet.read_table(str(recording)).drop_columns(["decided_is_doubted", "trouble"])
    metadata = parquet.read_metadata(str(recording)).metadata
    path = tmp_path / "old.parquet"
    told = {METADATA_KEY: metadata[METADATA_KEY]}
    parquet.write_table(table.replace_schema_metadata(told), str(path))
    parts = list(open_recording(path).parts())
    assert not any(
        trace.is_doubted
        for part in parts
        for record in part.rounds
        for trace in record.trace.guests
    )


def test_without_the_library_the_way_to_get_it_is_told(
    monkeypatch: pytest.MonkeyPatch, recording: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingLibraryError, match=r'pip install "\.\[plan\]" in a checkout'):
        open_recording(recording)


def test_the_page_has_every_column() -> None:
    """Whoever reads the file with another tool has only the page."""
    tables = PAGE.split("\n## The columns", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| (`[^|]*) \|", tables, re.MULTILINE)
    documented = [column for cell in cells for column in re.findall(r"`(\w+)`", cell)]
    assert sorted(documented) == sorted(all_columns())
    assert len(documented) == len(set(documented))
