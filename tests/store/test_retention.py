"""Old rounds go, and the file stays within its size."""

import sqlite3
from contextlib import closing
from pathlib import Path

from aerostat.store import Retention, Store, open_store
from aerostat.store.retention import CHUNK_ROUNDS, used_bytes
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until

DAY_S = 86_400.0
NAMES = [f"g{number:02}" for number in range(20)]


def many() -> Recorder:
    return Recorder(world=World(guests=[Guest(name=name, actual_mib=300) for name in NAMES]))


def written(
    path: Path, retention: Retention, recorder: Recorder, count: int, elapse_s: float
) -> None:
    with Store(path, retention=retention) as store:
        put(store, recorder.rounds(count, elapse_s=elapse_s))
        wait_until(lambda: store.waiting() == 0, "all is written")
    assert store.health().rounds_dropped == 0


def test_rounds_that_are_too_old_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    recorder = many()
    recorder.world.guests.append(Guest(name="gone"))
    retention = Retention(keep_s=2 * DAY_S)
    written(path, retention, recorder, 5, 3600.0)
    recorder.world.guests.pop()
    written(path, retention, recorder, CHUNK_ROUNDS + 300, 3600.0)
    with open_store(path) as reader:
        walls = [r.snapshot.wall_s for r in reader.rounds(since_wall_s=0, until_wall_s=1e12)]
        assert walls[-1] == recorder.wall_s
        assert walls[-1] - walls[0] <= 2 * DAY_S
        assert len(walls) >= 48
        assert [guest.name for guest in reader.guests()] == NAMES, "the gone one is forgotten too"
        assert len(reader.sessions(since_wall_s=0, until_wall_s=1e12)) == 1


def test_the_file_stays_within_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    recorder = many()
    limit = 512 * 1024
    written(path, Retention(size_bytes_max=limit), recorder, 600, 61.0)
    with closing(sqlite3.connect(path)) as connection:
        assert used_bytes(connection) <= limit + 64 * 1024
    assert path.stat().st_size <= limit + 256 * 1024, "room that is free goes back to the disk"
    with open_store(path) as reader:
        walls = [r.snapshot.wall_s for r in reader.rounds(since_wall_s=0, until_wall_s=1e12)]
        assert walls[-1] == recorder.wall_s
        assert len(walls) > 20


def test_the_newest_round_stays_whatever_its_age(tmp_path: Path) -> None:
    """It says when the daemon last wrote, after a week without one and after a clock's jump."""
    path = tmp_path / "a.db"
    recorder = many()
    written(path, Retention(), recorder, 3, 11.0)
    recorder.world.now_s += 400 * DAY_S
    written(path, Retention(), recorder, 1, 11.0)
    with open_store(path) as reader:
        (only,) = reader.rounds(since_wall_s=0, until_wall_s=1e12)
        assert only.number == 4


def test_a_guest_that_comes_back_after_its_rounds_are_gone_is_written_again(tmp_path: Path) -> None:
    """Its number went with them."""
    path = tmp_path / "a.db"
    recorder = many()
    gone = recorder.world.guests.pop()
    retention = Retention(keep_s=3600.0)
    with Store(path, retention=retention) as store:
        recorder.world.guests.append(gone)
        put(store, recorder.rounds(2, elapse_s=61.0))
        recorder.world.guests.pop()
        put(store, recorder.rounds(120, elapse_s=61.0))
        recorder.world.guests.append(gone)
        put(store, recorder.rounds(2, elapse_s=61.0))
        wait_until(lambda: store.waiting() == 0, "all is written")
    assert store.health().rounds_dropped == 0
    with open_store(path) as reader:
        assert gone.name in {guest.name for guest in reader.guests()}
