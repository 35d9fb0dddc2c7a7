"""Groups of labs that are gone are removed; nothing else is."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from aerostat.lab.clean import remove_groups
from aerostat.lab.machine.cgroup import Hierarchy, MemoryGroup, clean_stale, create_group
from deadlines import PATIENCE_S


def dead_pid() -> int:
    """The id of a process that has just ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_only_empty_groups_of_dead_labs_are_removed(tmp_path: Path) -> None:
    gone = tmp_path / f"aerostat-lab-{dead_pid()}"
    own = tmp_path / f"aerostat-lab-{os.getpid()}"
    other = tmp_path / "somebody-else"
    for parent in (gone, own, other):
        (parent / "ada").mkdir(parents=True)
    busy = tmp_path / f"aerostat-lab-{dead_pid()}"
    (busy / "bob" / "not-empty").mkdir(parents=True)
    assert clean_stale(Hierarchy(root=tmp_path, version=1)) == [busy]
    assert not gone.exists()
    assert (own / "ada").exists()
    assert (other / "ada").exists()
    assert busy.exists()


def test_a_group_that_stays_busy_is_told_with_who_is_in_it(tmp_path: Path) -> None:
    group = tmp_path / f"aerostat-lab-{dead_pid()}" / "bob"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("812\n77\n")
    (said,) = remove_groups(Hierarchy(root=tmp_path, version=1), patience_s=0.0)
    assert said == f"{group.parent} could not be removed: in it are processes 77, 812"


def test_a_group_whose_processes_are_dying_is_waited_for(tmp_path: Path) -> None:
    group = tmp_path / f"aerostat-lab-{dead_pid()}" / "bob"
    group.mkdir(parents=True)
    busy = group / "cgroup.procs"
    busy.write_text("812\n")
    dying = threading.Timer(0.3, busy.unlink)
    dying.start()
    assert remove_groups(Hierarchy(root=tmp_path, version=1), patience_s=PATIENCE_S) == []
    dying.join()
    assert not group.parent.exists()


@pytest.mark.parametrize(("offered", "enabled"), [("cpu io memory", "+io"), ("memory", "")])
def test_on_v2_disks_are_throttled_below_where_that_is_offered(
    tmp_path: Path, offered: str, enabled: str
) -> None:
    parent = tmp_path / f"aerostat-lab-{os.getpid()}"
    parent.mkdir()
    for group in (tmp_path, parent):
        (group / "cgroup.controllers").write_text(offered)
        (group / "cgroup.subtree_control").write_text("memory")
    create_group(Hierarchy(root=tmp_path, version=2), "ada")
    for group in (tmp_path, parent):
        written = (group / "cgroup.subtree_control").read_text()
        assert written == (enabled or "memory")


def test_a_directory_without_a_memory_controller_is_refused_in_words(tmp_path: Path) -> None:
    found = create_group(Hierarchy(root=tmp_path, version=1), "ada")
    assert isinstance(found, str)
    assert "no memory controller" in found
    assert list(tmp_path.iterdir()) == []


def test_usage_and_kills_are_read_as_each_version_writes_them(tmp_path: Path) -> None:
    (tmp_path / "memory.usage_in_bytes").write_text("4096\n")
    (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    first = MemoryGroup(path=tmp_path, version=1)
    assert (first.usage_bytes(), first.oom_kills()) == (4096, 2)
    (tmp_path / "memory.current").write_text("8192\n")
    (tmp_path / "memory.events").write_text("low 0\nmax 3\noom 1\noom_kill 1\n")
    second = MemoryGroup(path=tmp_path, version=2)
    assert (second.usage_bytes(), second.oom_kills()) == (8192, 1)


def test_a_group_that_is_gone_has_no_figures(tmp_path: Path) -> None:
    group = MemoryGroup(path=tmp_path / "gone", version=2)
    assert group.usage_bytes() is None
    assert group.oom_kills() is None
    assert not group.has(1)
