"""The daemon's journals: one that fails costs the others nothing, and troubles are told once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aerostat.daemon.journals import Journals
from aerostat.daemon.store_journal import QUIET_S, StoreJournal
from aerostat.ports.journal import RoundRecord
from aerostat.store import Store
from builders import Guest, World
from recorded_rounds import Recorder, wait_until


class Listed:
    """A journal that keeps what it gets."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def record(self, record: RoundRecord) -> None:
        self.numbers.append(record.number)


class Broken:
    """A journal that takes nothing."""

    def record(self, record: RoundRecord) -> None:
        raise OSError(f"no room for round {record.number}")


def recorder() -> Recorder:
    return Recorder(world=World(guests=[Guest(name="a", actual_mib=300)]))


def test_a_journal_that_fails_costs_the_others_nothing_and_is_told() -> None:
    before, after = Listed(), Listed()
    journals = Journals((before, Broken(), after))
    for record in recorder().rounds(2):
        with pytest.raises(ExceptionGroup, match=f"OSError: no room for round {record.number}"):
            journals.record(record)
    assert before.numbers == after.numbers == [1, 2]


def test_a_trouble_is_told_when_it_begins_and_when_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    source = recorder()
    store = Store(path)
    with capture_logs() as logs, store:
        journal = StoreJournal(store, path)
        journal.record(source.round(elapse_s=11.0))
        wait_until(lambda: path.exists() and store.waiting() == 0, "it is written")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            journal.record(source.round(elapse_s=11.0))
            wait_until(lambda: store.health().trouble is not None, "the lock is noticed")
            for _ in range(5):
                journal.record(source.round())
            other.execute("ROLLBACK")
        wait_until(lambda: store.health().trouble is None, "it is over")
        assert [line["event"] for line in logs] == ["store_trouble"]
        assert "database is locked" in logs[0]["detail"]
        journal.record(source.round(elapse_s=QUIET_S / 2))
        assert len(logs) == 1, "it may come and go"
        journal.record(source.round(elapse_s=QUIET_S))
    assert [line["event"] for line in logs] == ["store_trouble", "store_trouble_over"]
    journal.tell_the_end()
    assert len(logs) == 2, "nothing was lost"


def test_what_was_moved_aside_and_what_was_lost_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"garbage")
    (tmp_path / "notes").write_text("mine\n")
    source = recorder()
    with capture_logs() as logs:
        with Store(path) as store:
            journal = StoreJournal(store, path)
            journal.record(source.round())
            wait_until(lambda: bool(store.health().moved_aside), "it is moved aside")
            journal.record(source.round())
        (line,) = logs
        assert line["event"] == "store_moved_aside"
        assert Path(line["moved_to"]).read_bytes() == b"garbage"
        with Store(tmp_path / "notes") as refused:
            lossy = StoreJournal(refused, tmp_path / "notes")
            lossy.record(source.round())
        lossy.tell_the_end()
    assert logs[-1]["event"] == "store_incomplete"
    assert logs[-1]["rounds_dropped"] == 1
