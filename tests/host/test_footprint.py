"""What a process holds of the host: which measure counts, and when a cgroup says nothing."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aerostat.host.cgroup import CgroupReader, parse_membership, parse_mountinfo
from aerostat.host.cgroup_figures import CgroupFigures
from aerostat.host.footprint import FootprintReader
from aerostat.host.proc_text import read_record_if_any, read_text_if_any
from aerostat.host.process_memory import parse_kilobytes, parse_rss
from aerostat.host.pss import PssSampler
from aerostat.units import KIB, MIB

Tree = Callable[[dict[str, str]], Path]

PID = 4242
V1_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
V2_MOUNTS = "30 23 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_GROUP = "sys/fs/cgroup/memory/vm/a"
V2_SCOPE = "sys/fs/cgroup/machine.slice/vm.scope"


def v1_files(*, processes: str = f"{PID}\n") -> dict[str, str]:
    return {
        "proc/self/mountinfo": V1_MOUNTS,
        f"proc/{PID}/cgroup": "9:name=systemd:/\n4:memory:/vm/a\n0::/\n",
        f"{V1_GROUP}/cgroup.procs": processes,
        f"{V1_GROUP}/memory.usage_in_bytes": "123456\n",
    }


def v2_files() -> dict[str, str]:
    """As libvirt lays it out: threads below, memory accounted for above them."""
    return {
        "proc/self/mountinfo": V2_MOUNTS,
        f"proc/{PID}/cgroup": "0::/machine.slice/vm.scope/libvirt/emulator\n",
        f"{V2_SCOPE}/memory.current": "777\n",
        f"{V2_SCOPE}/cgroup.procs": "",
        f"{V2_SCOPE}/libvirt/memory.current": "555\n",
        f"{V2_SCOPE}/libvirt/cgroup.procs": f"{PID}\n",
        f"{V2_SCOPE}/libvirt/emulator/cgroup.threads": f"{PID}\n",
    }


def read_group(root: Path) -> CgroupFigures:
    return CgroupReader(now_s=time.monotonic, root=root).read(PID)


def test_a_v1_group_that_the_process_has_to_itself_is_its_charge(tree: Tree) -> None:
    assert read_group(tree(v1_files())).charge_bytes == 123456


def test_a_group_with_another_process_in_it_says_nothing(tree: Tree) -> None:
    root = tree(v1_files(processes=f"{PID}\n99\n"))
    assert read_group(root).charge_bytes is None


def test_a_process_in_a_group_below_is_another_process_too(tree: Tree) -> None:
    files = {**v1_files(), f"{V1_GROUP}/below/cgroup.procs": "99\n"}
    assert read_group(tree(files)).charge_bytes is None


def test_the_root_of_a_hierarchy_is_nobodys_own(tree: Tree) -> None:
    files = {
        "proc/self/mountinfo": V1_MOUNTS,
        f"proc/{PID}/cgroup": "4:memory:/\n0::/\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
        "sys/fs/cgroup/memory/cgroup.procs": f"{PID}\n",
    }
    assert read_group(tree(files)).charge_bytes is None


def test_in_v2_the_nearest_group_upwards_that_accounts_for_memory_counts(tree: Tree) -> None:
    assert read_group(tree(v2_files())).charge_bytes == 555


def test_in_v2_without_the_memory_controller_there_is_no_charge(tree: Tree) -> None:
    files = {
        "proc/self/mountinfo": V2_MOUNTS,
        f"proc/{PID}/cgroup": "0::/vm.scope\n",
        "sys/fs/cgroup/vm.scope/cgroup.procs": f"{PID}\n",
    }
    assert read_group(tree(files)).charge_bytes is None


def test_a_mount_that_shows_only_a_part_of_the_hierarchy_is_understood(tree: Tree) -> None:
    """In a container the mount's root is the container's own group."""
    files = {
        "proc/self/mountinfo": "30 23 0:26 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        f"proc/{PID}/cgroup": "0::/box/vm\n",
        "sys/fs/cgroup/vm/memory.current": "321\n",
        "sys/fs/cgroup/vm/cgroup.procs": f"{PID}\n",
    }
    assert read_group(tree(files)).charge_bytes == 321


def test_a_process_that_is_gone_has_no_charge(tmp_path: Path) -> None:
    assert read_group(tmp_path) == CgroupFigures()


def test_v1_goes_before_v2_where_both_are_mounted() -> None:
    assert [hierarchy.is_v2 for hierarchy in parse_mountinfo(V1_MOUNTS)] == [False, True]
    assert parse_mountinfo("nonsense - \n - x\n") == ()


def test_membership_is_looked_up_by_hierarchy() -> None:
    text = "12:cpu,memory:/a\n0::/b\nnonsense\n"
    assert parse_membership(text, is_v2=False) == "/a"
    assert parse_membership(text, is_v2=True) == "/b"
    assert parse_membership("", is_v2=True) is None


def test_process_figures_are_bytes() -> None:
    assert parse_rss("100 7 3 0 0 0 0", page_bytes=4096) == 7 * 4096
    assert parse_rss("", page_bytes=4096) is None
    status = "Name:\tqemu\nVmSwap:\t     12 kB\nThreads:\t3\n"
    assert parse_kilobytes(status, name="VmSwap") == 12 * KIB
    assert parse_kilobytes(status, name="VmRSS") is None
    assert parse_kilobytes(status, name="Threads") is None


def wait_for_pss(reader: FootprintReader, pid: int) -> int:
    deadline_s = time.monotonic() + 10
    while True:
        footprint = reader.read(pid)
        assert footprint is not None
        if footprint.pss_bytes is not None:
            return footprint.pss_bytes
        assert time.monotonic() < deadline_s, "no PSS within 10 s"
        time.sleep(0.005)


def test_with_a_cgroup_of_its_own_pss_is_not_even_read(tree: Tree) -> None:
    files = {
        **v1_files(),
        f"proc/{PID}/statm": "100 7 3 0 0 0 0\n",
        f"proc/{PID}/status": "VmSwap:\t12 kB\n",
        f"proc/{PID}/smaps_rollup": "Pss:  5 kB\n",
    }
    footprint = FootprintReader(now_s=time.monotonic, root=tree(files)).read(PID)
    assert footprint is not None
    assert footprint.held_source == "cgroup"
    assert footprint.held_bytes == 123456
    assert footprint.swap_bytes == 12 * KIB
    assert footprint.pss_bytes is None


def test_what_it_has_in_ram_and_in_swap_is_of_one_file_where_that_has_both(tree: Tree) -> None:
    files = {f"proc/{PID}/status": "VmRSS:\t   28 kB\nVmSwap:\t   12 kB\n"}
    footprint = FootprintReader(now_s=time.monotonic, root=tree(files)).read(PID)
    assert footprint is not None
    assert (footprint.rss_bytes, footprint.swap_bytes) == (28 * KIB, 12 * KIB)


def test_resident_pages_are_the_same_in_both_files_of_the_kernel() -> None:
    """Of one that stands still: so it does not matter which of them is read."""
    with subprocess.Popen(["sleep", "60"]) as process:
        time.sleep(0.1)
        by_status = read_record_if_any(f"/proc/{process.pid}/status") or ""
        by_statm = read_record_if_any(f"/proc/{process.pid}/statm") or ""
        process.kill()
    assert parse_kilobytes(by_status, name="VmRSS") == parse_rss(by_statm)


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 18])
def test_a_record_is_read_whole_however_long(tmp_path: Path, size: int) -> None:
    path = tmp_path / "record"
    path.write_text("x" * size)
    assert read_record_if_any(str(path)) == "x" * size == read_text_if_any(path)


@pytest.mark.parametrize("name", ["status", "stat", "statm", "cgroup"])
def test_the_kernel_hands_over_these_files_in_one_piece(name: str) -> None:
    assert (read_record_if_any(f"/proc/1/{name}") or "").endswith("\n")
    assert read_record_if_any(f"/proc/1/no-{name}") is None


def test_without_one_it_is_rss_until_pss_has_come(tree: Tree) -> None:
    files = {
        f"proc/{PID}/statm": "100 7 3 0 0 0 0\n",
        f"proc/{PID}/smaps_rollup": "Rss: 9 kB\nPss:  5 kB\nPss_Anon: 4 kB\n",
    }
    reader = FootprintReader(now_s=time.monotonic, root=tree(files))
    first = reader.read(PID)
    assert first is not None
    assert first.held_source in {"rss", "pss"}
    assert wait_for_pss(reader, PID) == 5 * KIB
    reader.close()


def test_a_process_that_is_gone_has_no_footprint(tmp_path: Path) -> None:
    assert FootprintReader(now_s=time.monotonic, root=tmp_path).read(PID) is None


def test_this_very_process_has_a_footprint() -> None:
    reader = FootprintReader(now_s=time.monotonic)
    footprint = reader.read(os.getpid())
    assert footprint is not None
    assert footprint.rss_bytes is not None
    assert footprint.rss_bytes > MIB
    if footprint.cgroup_bytes is None:
        assert 0 < wait_for_pss(reader, os.getpid()) <= 2 * footprint.rss_bytes
    reader.close()


def test_a_stuck_read_of_pss_delays_nobody_and_old_figures_go(tmp_path: Path) -> None:
    """A QEMU stuck in the kernel holds its memory lock: reading smaps_rollup may never end."""
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/2").mkdir(parents=True)
    (tmp_path / "proc/1/smaps_rollup").write_text("Pss: 5 kB\n")
    os.mkfifo(tmp_path / "proc/2/smaps_rollup")  # opening it blocks until somebody writes
    now_s = 100.0
    sampler = PssSampler(now_s=lambda: now_s, root=tmp_path, period_s=10, age_s_max=60)
    deadline_s = time.monotonic() + 10
    while (sample := sampler.last(1)) is None:
        assert time.monotonic() < deadline_s, "no PSS within 10 s"
        time.sleep(0.005)
    assert sample.pss_bytes == 5 * KIB

    began_s = time.monotonic()
    assert sampler.last(2) is None
    now_s = 150.0
    assert sampler.last(1) is not None  # old, and the thread is stuck: still the last known
    now_s = 161.0
    assert sampler.last(1) is None
    assert time.monotonic() - began_s < 1.0
    (tmp_path / "proc/2/smaps_rollup").open("w").close()  # let the thread go
    sampler.close()


@pytest.mark.parametrize("text", ["", "max\n", "-1\n", "²\n"])
def test_a_charge_that_is_no_number_is_absent(tree: Tree, text: str) -> None:
    files = {**v1_files(), f"{V1_GROUP}/memory.usage_in_bytes": text}
    assert read_group(tree(files)).charge_bytes is None
