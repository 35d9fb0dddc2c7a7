"""QEMU processes by their command lines: whose they are, and where they listen."""

from pathlib import Path

import pytest

from aerostat.host.qemu_processes import monitors_of_processes, pid_of_vm

UUID = "2aa47b0d-6f30-47bf-8ed0-08b28d3ade58"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two QEMUs, and a process that is none."""
    lines = {
        11: ("qemu-system-x86_64", "-uuid", UUID, "-qmp", "unix:/run/vm/a.qmp,server=on"),
        12: ("/usr/bin/kvm", "-qmp", "unix:b.qmp,server=on,wait=off", "-m", "1"),
        13: ("vim", "-uuid", UUID, "-qmp", "unix:/c"),
    }
    for pid, arguments in lines.items():
        (tmp_path / f"proc/{pid}").mkdir(parents=True)
        (tmp_path / f"proc/{pid}/cmdline").write_text("\0".join(arguments) + "\0")
    (tmp_path / "proc/12/cwd").symlink_to("/srv/vm")
    (tmp_path / "proc/self").mkdir()
    return tmp_path


def test_a_vm_is_found_by_its_uuid(root: Path) -> None:
    assert pid_of_vm(UUID.upper(), root) == 11
    assert pid_of_vm("2aa47b0d", root) is None


def test_monitors_are_where_the_process_sees_them(root: Path) -> None:
    assert sorted(monitors_of_processes(root)) == [Path("/run/vm/a.qmp"), Path("/srv/vm/b.qmp")]


def test_of_several_monitors_of_one_process_some_may_be_preferred(root: Path) -> None:
    arguments = ("kvm", "-qmp", "unix:/x,server=on", "-qmp", "unix:/y,server=on")
    (root / "proc/14").mkdir()
    (root / "proc/14/cmdline").write_text("\0".join(arguments) + "\0")
    found = monitors_of_processes(root, preferred=lambda monitors: monitors[-1:])
    assert sorted(found) == [Path("/run/vm/a.qmp"), Path("/srv/vm/b.qmp"), Path("/y")]
