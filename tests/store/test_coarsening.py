"""What is a day old is thinned out, and nothing that was news goes."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from aerostat.model.events import LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.store import Move, Retention, open_store
from aerostat.store.coarsening import BUCKET_S, Coarsening
from aerostat.units import GIB
from builders import Guest, World, params
from recorded_rounds import Recorder, remember

DAY_S = 86_400.0
EVER: dict[str, Any] = {"since_wall_s": 0.0, "until_wall_s": 1e12}


def lived(path: Path) -> Recorder:
    """Two hours of quiet guests, one of which wakes in the middle; then a day passes."""
    guests = [Guest(name=name, actual_mib=300) for name in "abc"]
    recorder = Recorder(world=World(guests=guests, params=params(budget_mib=1400)))
    records = recorder.rounds(360, elapse_s=10.0)
    guests[0].used_mib = 290
    guests[0].swap_in_mib += 50
    recorder.happened = [LifecycleChanged(guest=GuestId("b"), kind=LifecycleKind.PAUSED)]
    records += recorder.rounds(360, elapse_s=10.0)
    remember(path, records, retention=Retention(keep_s=30 * DAY_S, size_bytes_max=GIB))
    return recorder


def told(path: Path) -> tuple[list[Move], list[object]]:
    with open_store(path) as reader:
        moves = [m for g in reader.guests() for m in reader.moves(g.guest, **EVER)]
        return moves, list(reader.events(**EVER))


def counts(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as connection:
        return (
            connection.execute("SELECT count(*) FROM round").fetchone()[0],
            connection.execute("SELECT count(*) FROM sample").fetchone()[0],
        )


def coarsened(path: Path, *, now_s: float) -> bool:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        return Coarsening(DAY_S).apply(connection, wall_s=now_s)


def test_quiet_samples_go_and_every_change_and_event_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    recorder = lived(path)
    before, (rounds, samples) = told(path), counts(path)
    assert before[0], "something was decided"
    assert before[1], "something happened"
    assert coarsened(path, now_s=recorder.wall_s + DAY_S + BUCKET_S)
    assert told(path) == before
    fewer_rounds, fewer_samples = counts(path)
    assert fewer_rounds < rounds / 5
    assert fewer_samples < samples / 5
    # Never more than the bucket without a sample of a guest that was there.
    with open_store(path) as reader:
        walls = [
            record.snapshot.wall_s
            for record in reader.rounds(**EVER)
            if any(guest.name == "c" for guest in record.snapshot.guests)
        ]
    gaps = [later - earlier for earlier, later in itertools.pairwise(walls)]
    assert max(gaps) <= 2 * BUCKET_S


def test_what_is_younger_than_a_day_is_left_alone_and_twice_is_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    recorder = lived(path)
    whole = counts(path)
    assert not coarsened(path, now_s=recorder.wall_s)
    assert counts(path) == whole
    later_s = recorder.wall_s + DAY_S + BUCKET_S
    assert coarsened(path, now_s=later_s)
    thin = counts(path)
    assert not coarsened(path, now_s=later_s)
    assert counts(path) == thin


def test_a_daemon_that_goes_on_for_days_thins_out_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    recorder = Recorder(world=World(guests=[Guest(name="a", actual_mib=300)]))
    records = recorder.rounds(400, elapse_s=10.0)
    records += recorder.rounds(20, elapse_s=DAY_S / 10)
    remember(path, records)
    rounds, _ = counts(path)
    assert rounds < 100
