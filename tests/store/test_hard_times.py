"""A disk that is really full, and a daemon that is killed at any moment, fifty times."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aerostat.store import Store, open_store
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until

ROOT = Path(__file__).parents[2]
KILLS = 50


def busy_world() -> Recorder:
    return Recorder(world=World(guests=[Guest(name=name, actual_mib=300) for name in "abc"]))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_loses_rounds_and_takes_them_again_once_there_is_room(small_disk: Path) -> None:
    path = small_disk / "a.db"
    recorder = busy_world()
    with Store(path) as store:
        put(store, recorder.rounds(20, elapse_s=11.0))
        wait_until(lambda: store.waiting() == 0, "the first rounds are written")
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        while store.health().trouble is None:
            before_s = time.monotonic()
            put(store, recorder.rounds(10, elapse_s=11.0))
            assert time.monotonic() - before_s < 5, "taking a round waits for the disk"
            wait_until(lambda: store.waiting() == 0, "they are taken")
        assert "full" in (store.health().trouble or "")
        ballast.unlink()
        put(store, recorder.rounds(20, elapse_s=11.0))
        wait_until(lambda: store.waiting() == 0, "they are taken")
        wait_until(lambda: store.health().trouble is None, "it writes again")
    dropped = store.health().rounds_dropped
    with open_store(path) as reader:
        numbers = [r.number for r in reader.rounds(since_wall_s=0.0, until_wall_s=1e12)]
    assert 0 < dropped < recorder.number
    assert len(numbers) == recorder.number - dropped
    assert numbers[-1] == recorder.number
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


WRITER = """
import json, sys, time
from pathlib import Path
from aerostat.store import Store
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until
recorder = Recorder(world=World(guests=[Guest(name=name, actual_mib=300) for name in "abc"]))
recorder.shift_s = float(sys.argv[2])
with Store(Path(sys.argv[1])) as store:
    while True:
        records = recorder.rounds(5, elapse_s=11.0)
        put(store, records)
        wait_until(lambda: store.waiting() == 0, "written")
        # The last one may still be on its way to the disk.
        print(json.dumps(records[-2].snapshot.wall_s), flush=True)
"""


def kept_since(path: Path, wall_s: float) -> set[float]:
    with open_store(path) as reader:
        rounds = reader.rounds(since_wall_s=wall_s, until_wall_s=1e12)
        return {around.snapshot.wall_s for around in rounds}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_fifty_times_at_any_moment_nothing_that_was_flushed_is_lost(tmp_path: Path) -> None:
    """Each daemon goes on in the file of the one before; seed 1 draws the moments."""
    path = tmp_path / "a.db"
    draw = random.Random(1)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
    }
    flushed: list[float] = []
    for run in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(run * 1_500)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            told = [writer.stdout.readline()]
            time.sleep(draw.random() * 0.2)
            writer.send_signal(signal.SIGKILL)
            told += writer.stdout.readlines()
        of_this_run = [json.loads(line) for line in told if line.endswith("\n")]
        # Its own every time, and all of them in the end: reading all each time would take a minute.
        assert kept_since(path, min(of_this_run)).issuperset(of_this_run), f"run {run} lost some"
        flushed += of_this_run
    assert kept_since(path, 0.0).issuperset(flushed)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not list(tmp_path.glob("*.corrupt-*"))
