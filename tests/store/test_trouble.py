"""Whatever happens to the file or the disk: the loop never waits, and what was written stays."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from aerostat.ports.journal import RoundRecord
from aerostat.store import Store, StoreError, open_store
from aerostat.store.schema import SCHEMA_VERSION, columns
from aerostat.store.store import ASIDE_MAX, ROUNDS_MAX
from builders import Guest, World
from recorded_rounds import Recorder, put, remember, wait_until

ROOT = Path(__file__).parents[2]
EVER = (0.0, 1e12)


def busy_world() -> Recorder:
    return Recorder(world=World(guests=[Guest(name=name, actual_mib=300) for name in "abc"]))


def far_apart(recorder: Recorder, count: int) -> list[RoundRecord]:
    """Rounds none of which is thinned away."""
    return recorder.rounds(count, elapse_s=11.0)


def kept_numbers(path: Path) -> list[int]:
    with open_store(path) as reader:
        rounds = reader.rounds(since_wall_s=EVER[0], until_wall_s=EVER[1])
        return [record.number for record in rounds]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody looks at the database with a tool that locks it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_database_holds_nobody_up_and_loses_only_what_does_not_fit(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"
    recorder = busy_world()
    with Store(path) as store:
        put(store, far_apart(recorder, 3))
        wait_until(lambda: path.exists() and store.waiting() == 0, "the first rounds are written")
        more = far_apart(recorder, ROUNDS_MAX + 50)
        with locked(path):
            started_s = time.monotonic()
            for record in more:
                store.record(record)
            assert time.monotonic() - started_s < 0.5, "record() waits for the disk"
            assert store.health().rounds_dropped >= 49
            wait_until(lambda: store.health().trouble is not None, "the lock is noticed")
        wait_until(lambda: store.health().trouble is None, "it writes again")
        wait_until(lambda: store.waiting() == 0, "the waiting rounds are written")
    dropped = store.health().rounds_dropped
    assert len(kept_numbers(path)) == 3 + len(more) - dropped


def test_a_lock_that_stays_does_not_keep_the_daemon_from_stopping(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    recorder = busy_world()
    remember(path, far_apart(recorder, 2))
    with locked(path):
        store = Store(path)
        with store:
            for record in far_apart(recorder, 20):
                store.record(record)
            started_s = time.monotonic()
        assert time.monotonic() - started_s < 10
        wait_until(lambda: store.health().rounds_dropped > 0, "what was lost is counted")


@pytest.mark.parametrize("content", [b"not a database at all, whatever its name", b"x", None])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "a.db"
    recorder = busy_world()
    if content is None:  # a store of which a page in the middle is gone
        remember(path, far_apart(recorder, 300))
        content = path.read_bytes()
        content = content[:8192] + b"\xff" * 16384 + content[24576:]
    path.write_bytes(content)
    with Store(path) as store:
        put(store, far_apart(recorder, 5))
        wait_until(lambda: store.waiting() == 0, "the rounds are taken")
    (aside,) = store.health().moved_aside
    assert aside.read_bytes() == content
    assert (store.health().rounds_dropped, store.health().trouble) == (0, None)
    assert len(kept_numbers(path)) == 5


def test_a_file_that_is_damaged_again_and_again_is_given_up(tmp_path: Path) -> None:
    """A failing disk must not fill with remains."""
    path = tmp_path / "a.db"
    recorder = busy_world()
    with Store(path) as store:
        for number in range(ASIDE_MAX + 2):
            path.unlink(missing_ok=True)
            path.write_bytes(b"garbage")
            store.record(far_apart(recorder, 1)[0])
            wait_until(
                lambda n=number: (
                    len(store.health().moved_aside) == min(n + 1, ASIDE_MAX)  # type: ignore[misc]
                    and store.waiting() == 0
                ),
                "it is moved aside, or given up",
            )
        wait_until(lambda: store.health().rounds_dropped > 0, "the last round is given up")
    assert "the disk may be failing" in (store.health().trouble or "")
    # What belongs to a database in use (-wal, -shm) goes aside with it, where it was there already.
    aside = [p for p in tmp_path.glob("a.db.corrupt-*") if not p.name.endswith(("-wal", "-shm"))]
    assert len(aside) == ASIDE_MAX


def test_a_mistyped_path_renames_nobodys_file(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("root:x:0:0\n")
    with Store(path) as store:
        put(store, busy_world().rounds(3))
        wait_until(lambda: store.health().rounds_dropped > 0, "it is refused")
    assert path.read_text() == "root:x:0:0\n"
    assert "this is not a database" in (store.health().trouble or "")


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with Store(path) as store:
        put(store, busy_world().rounds(2))
        wait_until(lambda: store.health().rounds_dropped > 0, "it is refused")
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="another program's database"):
        open_store(path)


def test_a_newer_version_is_neither_written_nor_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    remember(path, busy_world().rounds(2))
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match=r"a newer Aerostat wrote it .* move the file away"):
        open_store(path)
    with Store(path) as store:
        put(store, busy_world().rounds(2))
        wait_until(lambda: store.health().rounds_dropped > 0, "it is refused")
    assert "a newer Aerostat" in (store.health().trouble or "")
    assert not list(tmp_path.glob("*.corrupt-*"))


def test_a_file_of_an_earlier_release_gets_the_columns_that_came_since(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    recorder = busy_world()
    remember(path, far_apart(recorder, 2))
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute("ALTER TABLE decision DROP COLUMN is_doubted")
        earlier.execute("ALTER TABLE round DROP COLUMN state")
    with open_store(path) as reader:  # readable as it is
        assert all(
            not t.is_doubted
            for r in reader.rounds(since_wall_s=0, until_wall_s=1e12)
            for t in r.trace.guests
        )
    remember(path, far_apart(recorder, 2))
    with closing(sqlite3.connect(path)) as now:
        assert "is_doubted" in columns(now)["decision"]
    assert len(kept_numbers(path)) == 4


def test_a_store_that_cannot_be_made_is_told_and_tried_again(tmp_path: Path) -> None:
    """In a file no folder can be made, not even by root."""
    (tmp_path / "state").touch()
    path = tmp_path / "state" / "aerostat" / "a.db"
    recorder = busy_world()
    with Store(path) as store:
        put(store, far_apart(recorder, 1))
        wait_until(lambda: store.health().rounds_dropped == 1, "it is refused")
        assert "Not a directory" in (store.health().trouble or "")
        (tmp_path / "state").unlink()
        put(store, far_apart(recorder, 2))
        wait_until(lambda: store.health().trouble is None, "it writes")
    assert len(kept_numbers(path)) == 2


def test_a_deleted_file_is_begun_again(tmp_path: Path) -> None:
    """Else the daemon would write for days into a file that nobody can open."""
    path = tmp_path / "a.db"
    recorder = busy_world()
    with Store(path) as store:
        put(store, far_apart(recorder, 2))
        wait_until(lambda: path.exists() and store.waiting() == 0, "it is written")
        for name in ("a.db", "a.db-wal", "a.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        put(store, far_apart(recorder, 2))
        wait_until(path.exists, "it is there again")
    assert kept_numbers(path)[-1] == 4


WRITER = """
import sys
from pathlib import Path
from aerostat.store import Store
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until
recorder = Recorder(world=World(guests=[Guest(name=name, actual_mib=300) for name in "abc"]))
with Store(Path(sys.argv[1])) as store:
    while True:
        put(store, recorder.rounds(10, elapse_s=11.0))
        wait_until(lambda: store.waiting() == 0, "written")
        print(recorder.number, flush=True)
"""


def python(*arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_kill_9_leaves_all_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writer = python("-c", WRITER, str(path))
    assert writer.stdout is not None
    with writer.stdout:
        told = [int(writer.stdout.readline()) for _ in range(5)]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    numbers = kept_numbers(path)
    # The last round told may still have been on its way to the disk.
    assert numbers[: told[-1] - 1] == list(range(1, told[-1]))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    remember(path, far_apart(busy_world(), 2))
    assert kept_numbers(path)[-2:] == [1, 2]


def test_readers_see_whole_rounds_while_a_daemon_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writer = python("-c", WRITER, str(path))
    assert writer.stdout is not None
    try:
        with writer.stdout:
            writer.stdout.readline()
            seen = 0
            with open_store(path) as reader:
                while seen < 60:
                    rounds = list(reader.rounds(since_wall_s=0.0, until_wall_s=1e12))
                    assert [record.number for record in rounds] == list(range(1, len(rounds) + 1))
                    assert all(len(record.trace.guests) == 3 for record in rounds)
                    assert len(rounds) >= seen
                    seen = len(rounds)
    finally:
        writer.kill()
        writer.wait()


FULL_DISK = """
import json, resource, sys
from pathlib import Path
from aerostat.store import Store
from builders import Guest, World
from recorded_rounds import Recorder, put, wait_until
path = Path(sys.argv[1])
recorder = Recorder(world=World(guests=[Guest(name=name, actual_mib=300) for name in "abc"]))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
with Store(path) as store:
    put(store, recorder.rounds(20, elapse_s=11.0))
    wait_until(lambda: store.waiting() == 0, "written")
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    while store.health().trouble is None:
        put(store, recorder.rounds(10, elapse_s=11.0))
        wait_until(lambda: store.waiting() == 0, "taken")
    trouble = store.health().trouble
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    put(store, recorder.rounds(20, elapse_s=11.0))
    wait_until(lambda: store.health().trouble is None, "it writes again")
print(json.dumps([trouble, store.health().rounds_dropped, recorder.number]))
"""


def test_a_disk_that_takes_no_more_loses_rounds_and_nothing_else(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: the kernel refuses the write."""
    path = tmp_path / "a.db"
    done = python("-c", FULL_DISK, str(path))
    out, _ = done.communicate(timeout=60)
    assert done.returncode == 0
    trouble, dropped, written = json.loads(out)
    assert str(path) in trouble
    assert 0 < dropped < written
    numbers = kept_numbers(path)
    assert len(numbers) == written - dropped
    assert numbers[-1] == written


READER = """
import os, sys
from pathlib import Path
from aerostat.store import open_store
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
with open_store(Path(sys.argv[1])) as reader:
    print(len(reader.guests()))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who may not write")
def test_who_may_only_read_can_read_running_and_stopped() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        Path(folder).chmod(0o755)  # for a user who may not write here

        def read_as_nobody() -> tuple[str, int]:
            for file in Path(folder).iterdir():
                file.chmod(0o644)
            reader = python("-c", READER, str(path))
            return (reader.communicate(timeout=30)[0].strip(), reader.returncode)

        recorder = busy_world()
        with Store(path) as store:
            put(store, far_apart(recorder, 3))
            wait_until(lambda: path.exists() and store.waiting() == 0, "written")
            running = read_as_nobody()
        assert running == ("3", 0)
        assert read_as_nobody() == ("3", 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such store"),
        (b"", "nothing has been written to it yet"),
        (b"garbage " * 1000, "file is not a database"),
    ],
)
def test_a_reader_says_what_is_wrong(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "a.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=words) as caught:
        open_store(path)
    assert caught.value.exit_status == 1
    assert str(path) in str(caught.value)
