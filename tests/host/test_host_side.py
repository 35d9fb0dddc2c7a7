"""What the host itself does to a VM: its swap, its waits, its limits, in v1's words and in v2's."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.host.cgroup import LOOK_AGAIN_S, CgroupReader
from aerostat.host.cgroup_figures import CgroupFigures, parse_counts
from aerostat.host.footprint import FootprintReader
from aerostat.host.process_memory import parse_major_faults
from aerostat.lab.machine.cgroup import create_group, find_hierarchy
from aerostat.units import KIB, MIB, PAGE_BYTES

Tree = Callable[[dict[str, str]], Path]

PID = 4242
PAGE = os.sysconf("SC_PAGE_SIZE")
# As a 6.12 guest that acted as a host wrote them (v2), and this project's lab hosts (v1).
V2_STAT = """\
anon 83886080
file 12288
shmem 8192
inactive_anon 125829120
active_anon 4096
swapcached 4096
workingset_refault_anon 4096
workingset_refault_file 17
pgfault 90000
pgmajfault 5001
"""
V2_EVENTS = "low 0\nhigh 416\nmax 3\noom 0\noom_kill 0\noom_group_kill 0\n"
PRESSURE = """\
some avg10=10.70 avg60=3.10 avg300=0.71 total=12500000
full avg10=9.10 avg60=2.80 avg300=0.60 total=11000000
"""
V1_STAT = """\
cache 9842688
swap 4096
workingset_refault_anon 1
pgmajfault 2
hierarchical_memory_limit 9223372036854771712
total_rss 73728
total_inactive_anon 4096
total_active_anon 65536
total_swap 83886080
total_workingset_refault_anon 256
total_pgmajfault 300
"""
V1_NO_LIMIT = "9223372036854771712\n"
V2 = "sys/fs/cgroup/machine.slice/vm.scope"
V1 = "sys/fs/cgroup/memory/vm/a"
V1_WAITS = "sys/fs/cgroup/unified/vm-a"


def v2_files(**changed: str) -> dict[str, str]:
    own = {
        "memory.current": "88080384\n",
        "memory.swap.current": "20971520\n",
        "memory.stat": V2_STAT,
        "memory.events": V2_EVENTS,
        "memory.pressure": PRESSURE,
        "memory.high": "83886080\n",
        "memory.max": "max\n",
        "cgroup.procs": f"{PID}\n",
    }
    return {
        "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        f"proc/{PID}/cgroup": "0::/machine.slice/vm.scope\n",
        **{f"{V2}/{name}": text for name, text in {**own, **changed}.items()},
    }


def v1_files(*, limit: str = V1_NO_LIMIT) -> dict[str, str]:
    """A hybrid host: memory is counted in v1, waits in v2, where the VM has a group as well."""
    return {
        "proc/self/mountinfo": (
            "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        ),
        f"proc/{PID}/cgroup": "4:memory:/vm/a\n0::/vm-a\n",
        f"{V1}/cgroup.procs": f"{PID}\n",
        f"{V1}/memory.usage_in_bytes": "123456\n",
        f"{V1}/memory.stat": V1_STAT,
        f"{V1}/memory.limit_in_bytes": limit,
        f"{V1}/memory.failcnt": "77\n",
        f"{V1_WAITS}/cgroup.procs": f"{PID}\n",
        f"{V1_WAITS}/memory.pressure": PRESSURE,
    }


def read(root: Path) -> CgroupFigures:
    return CgroupReader(now_s=time.monotonic, root=root).read(PID)


def test_v2_tells_swap_limits_hits_and_waits(tree: Tree) -> None:
    assert read(tree(v2_files())) == CgroupFigures(
        charge_bytes=84 * MIB,
        swap_bytes=20 * MIB,
        swap_in_bytes=4096 * PAGE,
        major_faults=5001,
        limit_bytes=80 * MIB,
        limit_hits=419,
        pressure_some_total_s=12.5,
        pressure_full_total_s=11.0,
        unsplit_bytes=40 * MIB - 8192,  # on the lists, not mapped, not shared and not swapped
    )


def test_v1_tells_the_same_in_its_own_words_and_what_is_below_counts(tree: Tree) -> None:
    assert read(tree(v1_files(limit="104857600\n"))) == CgroupFigures(
        charge_bytes=123456,
        swap_bytes=80 * MIB,
        swap_in_bytes=256 * PAGE,
        major_faults=300,
        limit_bytes=100 * MIB,
        limit_hits=77,
        pressure_some_total_s=12.5,
        pressure_full_total_s=11.0,
        unsplit_bytes=0,  # what is locked is mapped, and on no list
    )


def test_no_limit_is_absent_and_not_a_number_beyond_all_memory(tree: Tree) -> None:
    assert read(tree(v1_files())).limit_bytes is None
    assert read(tree(v2_files(**{"memory.high": "max\n"}))).limit_bytes is None


def test_the_lower_of_two_limits_is_the_one_that_binds(tree: Tree) -> None:
    figures = read(tree(v2_files(**{"memory.max": "41943040\n"})))
    assert figures.limit_bytes == 40 * MIB


def test_waits_of_a_group_shared_with_others_are_not_its_own(tree: Tree) -> None:
    files = {**v1_files(), f"{V1_WAITS}/cgroup.procs": f"{PID}\n1\n"}
    figures = read(tree(files))
    assert figures.pressure_some_total_s is None
    assert figures.charge_bytes == 123456


def test_a_kernel_that_knows_none_of_it_leaves_it_absent(tree: Tree) -> None:
    files = v2_files()
    for name in ("swap.current", "stat", "events", "pressure", "high", "max"):
        del files[f"{V2}/memory.{name}"]
    assert read(tree(files)) == CgroupFigures(charge_bytes=84 * MIB)


def test_where_its_group_is_is_remembered_and_looked_up_again(tree: Tree) -> None:
    now_s = 100.0
    root = tree(v2_files())
    reader = CgroupReader(now_s=lambda: now_s, root=root)
    assert reader.read(PID).charge_bytes == 84 * MIB
    (root / V2 / "cgroup.procs").write_text(f"{PID}\n99\n")
    assert reader.read(PID).charge_bytes == 84 * MIB
    now_s += LOOK_AGAIN_S
    assert reader.read(PID).charge_bytes is None


def test_a_process_that_was_moved_is_looked_up_at_once(tree: Tree) -> None:
    root = tree(v2_files())
    reader = CgroupReader(now_s=lambda: 100.0, root=root)
    assert reader.read(PID).charge_bytes == 84 * MIB
    (root / f"proc/{PID}/cgroup").write_text("0::/elsewhere\n")
    assert reader.read(PID) == CgroupFigures()


def stat_text(faults: int, *, name: str = "qemu (a) b") -> str:
    return f"{PID} ({name}) S 1 1 1 0 -1 4194304 900 0 {faults} 7 5 6 0 0 20 0 4 0 123 9 9\n"


def test_major_faults_are_those_of_all_threads_whatever_the_process_is_called() -> None:
    assert parse_major_faults(stat_text(31)) == 31
    assert parse_major_faults(stat_text(31, name=") 1 2 3 4 5 6 7 8 9 10 11 12")) == 31
    assert parse_major_faults("") is None


def without_a_group(faults: int) -> dict[str, str]:
    return {
        f"proc/{PID}/statm": "100 7 3 0 0 0 0\n",
        f"proc/{PID}/status": "VmSwap:\t12 kB\n",
        f"proc/{PID}/stat": stat_text(faults),
        f"proc/{PID}/smaps_rollup": "Pss: 5 kB\nSwap: 40 kB\nSwapPss: 40 kB\n",
    }


def test_without_a_group_the_process_itself_tells(tree: Tree) -> None:
    """And the slow reading adds what lies in swap of shared memory, a guest's RAM on memfd."""
    reader = FootprintReader(now_s=time.monotonic, root=tree(without_a_group(31)))
    first = reader.read(PID)
    assert first is not None
    assert (first.major_faults, first.swap_in_bytes) == (31, 31 * PAGE_BYTES)
    assert first.limit_hits is None
    deadline_s = time.monotonic() + 10
    while (footprint := reader.read(PID)) is None or footprint.pss_bytes is None:
        assert time.monotonic() < deadline_s, "no PSS within 10 s"
        time.sleep(0.005)
    assert footprint.swap_bytes == 40 * KIB
    reader.close()


def test_a_counter_from_another_source_is_absent_once(tree: Tree) -> None:
    """Otherwise the difference between two sources would pass for traffic."""
    root = tree({**without_a_group(31), **v2_files(**{"cgroup.procs": f"{PID}\n99\n"})})
    now_s = 100.0
    reader = FootprintReader(now_s=lambda: now_s, root=root)
    seen = []
    for processes in (f"{PID}\n99\n", f"{PID}\n", f"{PID}\n"):
        (root / V2 / "cgroup.procs").write_text(processes)
        now_s += LOOK_AGAIN_S
        footprint = reader.read(PID)
        assert footprint is not None
        seen.append(footprint.swap_in_bytes)
    assert seen == [31 * PAGE_BYTES, None, 4096 * PAGE]
    reader.close()


@given(text=st.text(alphabet=st.sampled_from("abhighmx_ 0123456789-\n²"), max_size=80))
def test_whatever_a_file_holds_counts_are_whole_numbers_from_zero_on(text: str) -> None:
    assert all(count >= 0 for count in parse_counts(text).values())
    parse_major_faults(text)


# What follows is the kernel's own: a process of ours in a real memory cgroup with a limit.

_READER = """
import os, sys, time
block = bytearray(32 << 20)
with open(sys.argv[1], "wb") as file:
    file.write(os.urandom(1 << 20) * 64)
print("ready", flush=True)
while True:
    with open(sys.argv[1], "rb") as file:
        while file.read(1 << 20):
            pass
    time.sleep(0.02)
"""


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A process that reads a file of 64 MiB over and over, in a group of its own, and its path."""
    hierarchy = find_hierarchy()
    if isinstance(hierarchy, str):
        pytest.skip(hierarchy)
    group = create_group(hierarchy, "reader")
    if isinstance(group, str):
        pytest.skip(group)
    process = subprocess.Popen(
        [sys.executable, "-c", _READER, str(tmp_path / "file")],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: group.procs.write_text(str(os.getpid())),  # noqa: PLW1509 # no threads
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid, group.path
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        deadline_s = time.monotonic() + 10
        while not group.remove() and time.monotonic() < deadline_s:
            time.sleep(0.05)


def test_this_kernel_counts_what_a_limit_does_to_a_process(reading: tuple[int, Path]) -> None:
    pid, group = reading
    reader = FootprintReader(now_s=time.monotonic)
    before = reader.read(pid)
    assert before is not None
    assert before.held_source == "cgroup"
    assert before.swap_bytes == 0
    assert before.limit_bytes is None
    assert before.limit_hits == 0
    is_v1 = (group / "memory.failcnt").exists()
    limit_bytes = (before.cgroup_bytes or 0) // MIB * MIB - 24 * MIB
    name = "memory.limit_in_bytes" if is_v1 else "memory.high"
    (group / name).write_text(str(limit_bytes))
    deadline_s = time.monotonic() + 10
    while (now := reader.read(pid)) is not None and not now.limit_hits:
        assert time.monotonic() < deadline_s, "no limit was hit within 10 s"
        time.sleep(0.05)
    assert now is not None
    assert now.limit_bytes == limit_bytes
    assert (now.cgroup_bytes or 0) <= limit_bytes + MIB
    reader.close()
