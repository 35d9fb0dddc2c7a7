"""The daemon's memory from end to end: a real QEMU, a real daemon, and the verbs that read it."""

import json
from pathlib import Path

from aerostat.store import StoreError, open_store
from daemon_process import Daemons, aerostat
from qemu_process import Fleet


def test_what_a_daemon_saw_can_be_read_while_it_runs_and_after(
    fleet: Fleet, start: Daemons, tmp_path: Path
) -> None:
    fleet.start("db-1")
    path = tmp_path / "memory.db"
    daemon = start("--qmp", fleet.glob, "--store", str(path))
    daemon.until_said("guest_found", guest="db-1")

    def is_kept() -> bool:
        try:
            with open_store(path) as reader:
                return any(guest.name == "db-1" for guest in reader.guests())
        except StoreError:
            return False  # not begun yet

    daemon.until(is_kept, "the guest is in the store")
    told = aerostat("explain", "db-1", "--store", str(path), "-o", "json")
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert document["guest"]["name"] == "db-1"
    assert document["daemon"]["mode"] == "observe"
    assert document["why"]["was_enforced"] is False
    assert document["is_old"] is False
    assert daemon.stop() == 0
    assert daemon.lines[-1]["event"] == "stopped"
    assert not [line for line in daemon.lines if line["event"].startswith("store_")]
    events = aerostat("events", "--store", str(path))
    assert events.returncode == 0
    assert "db-1" in events.stdout


def test_a_store_that_cannot_be_written_stops_no_daemon(
    fleet: Fleet, start: Daemons, tmp_path: Path
) -> None:
    fleet.start("db-1")
    (tmp_path / "file").touch()
    daemon = start("--qmp", fleet.glob, "--store", str(tmp_path / "file" / "memory.db"))
    daemon.until_said("guest_found", guest="db-1")
    line = daemon.until_said("store_trouble")
    assert "memory.db" in line["detail"]
    assert daemon.stop() == 0
    assert [line["event"] for line in daemon.lines[-2:]] == ["store_incomplete", "stopped"]


def test_a_daemon_may_be_told_to_remember_nothing(start: Daemons, tmp_path: Path) -> None:
    config = tmp_path / "off.toml"
    config.write_text(
        f'[qmp]\nsockets = ["{tmp_path}/*.qmp"]\n'
        f'[store]\nenabled = false\npath = "{tmp_path}/memory.db"\n'
    )
    daemon = start("-c", str(config))
    daemon.until_said("summary")
    assert daemon.stop() == 0
    assert not (tmp_path / "memory.db").exists()
