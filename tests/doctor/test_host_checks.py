"""The host's own findings, on hosts made of files."""

from pathlib import Path

import pytest

from aerostat.doctor.finding import Finding, Grade
from aerostat.doctor.host_checks import examine_host
from aerostat.doctor.promised import promised

MEMINFO = (
    "MemTotal: 16000000 kB\nMemFree: {free} kB\nMemAvailable: {free} kB\nCached: 0 kB\n"
    "SwapTotal: 0 kB\nSwapFree: 0 kB\n"
)
ARC = "13 1 0x01 1 1 1 1\nname type data\nsize 4 5000000000\nc_max 4 {most}\n"


def host(root: Path, **files: str) -> dict[str, Finding]:
    contents = {"proc/meminfo": MEMINFO.format(free=9000000), **files}
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {finding.check: finding for finding in examine_host(root)}


def test_a_host_with_room_is_good(tmp_path: Path) -> None:
    assert host(tmp_path)["memory"].grade is Grade.GOOD


def test_a_host_that_is_nearly_out_is_a_problem(tmp_path: Path) -> None:
    found = host(tmp_path, **{"proc/meminfo": MEMINFO.format(free=300000)})["memory"]
    assert found.grade is Grade.PROBLEM
    assert "(2%)" in found.says


def test_a_kernel_without_psi_is_told_how_to_have_it(tmp_path: Path) -> None:
    assert host(tmp_path)["pressure"].fix == "boot the host with psi=1"
    text = "some avg10=0.00 avg60=1.25 avg300=0.00 total=5\n"
    found = host(tmp_path, **{"proc/pressure/memory": text})["pressure"]
    assert found.grade is Grade.GOOD
    assert "1.25 %" in found.says


def test_huge_pages_are_told_however_qemu_comes_by_them(tmp_path: Path) -> None:
    path = "sys/kernel/mm/transparent_hugepage/enabled"
    for text in ("[always] madvise never\n", "always [madvise] never\n"):
        found = host(tmp_path, **{path: text})["huge_pages"]
        assert found.grade is Grade.ADVICE
        assert "echo never" in (found.fix or "")
    assert host(tmp_path, **{path: "always madvise [never]\n"})["huge_pages"].grade is Grade.GOOD


def test_a_host_without_swap_is_told_how_to_have_some(tmp_path: Path) -> None:
    """Sixteen GB of RAM: a quarter of that in whole GiB."""
    found = host(tmp_path, **{"proc/swaps": "Filename Type Size Used Priority\n"})
    assert found["swap"].grade is Grade.ADVICE
    assert "bs=1M count=3072" in (found["swap"].fix or "")


def test_a_technique_that_cannot_be_used_is_not_called_good(tmp_path: Path) -> None:
    found = host(tmp_path)
    for check, fix in (("zswap", "mkswap"), ("zram", "modprobe zram"), ("ksm", "CONFIG_KSM")):
        assert found[check].grade is Grade.ADVICE
        assert fix in (found[check].fix or ""), found[check]


@pytest.mark.parametrize(("most", "grade"), [(12e9, Grade.ADVICE), (2e9, Grade.GOOD)])
def test_a_zfs_cache_that_may_take_much_of_the_host(
    tmp_path: Path, most: float, grade: Grade
) -> None:
    found = host(tmp_path, **{"proc/spl/kstat/zfs/arcstats": ARC.format(most=int(most))})
    assert found["zfs_arc"].grade is grade


def test_strict_overcommit_is_told(tmp_path: Path) -> None:
    path = "proc/sys/vm/overcommit_memory"
    assert host(tmp_path, **{path: "2\n"})["overcommit"].grade is Grade.ADVICE
    assert host(tmp_path, **{path: "0\n"})["overcommit"].grade is Grade.GOOD


def test_a_hierarchy_without_the_memory_controller_counts_nothing(tmp_path: Path) -> None:
    mounts = "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    assert "cgroup_enable=memory" in str(
        host(tmp_path, **{"proc/self/mountinfo": mounts})["cgroups"].fix
    )
    controllers = {"proc/self/mountinfo": mounts, "sys/fs/cgroup/cgroup.controllers": "cpu memory"}
    assert "cgroup v2" in host(tmp_path, **controllers)["cgroups"].says


def test_a_host_that_cannot_be_read_is_unknown_and_the_rest_is_told(tmp_path: Path) -> None:
    found = {finding.check: finding for finding in examine_host(tmp_path)}
    assert found["memory"].grade is Grade.UNKNOWN
    assert {"ksm", "zswap", "zram", "swap"} <= found.keys()


KSM = "sys/kernel/mm/ksm/run"


@pytest.mark.parametrize(("run", "grade"), [("1", Grade.ADVICE), ("0", Grade.GOOD)])
def test_what_merging_tells_guests_of_each_other_is_told(
    tmp_path: Path, run: str, grade: Grade
) -> None:
    found = host(tmp_path, **{KSM: f"{run}\n"})["ksm"]
    assert found.grade is grade
    assert "tells a guest what others hold" in found.says
    assert ("mem-merge=off" in (found.fix or "")) == (grade is Grade.ADVICE)


def test_it_is_told_by_what_touches_would_be_seen(tmp_path: Path) -> None:
    assert "cannot be told" in host(tmp_path)["touched"].says
    damon = "sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"
    assert "can be told: DAMON" in host(tmp_path, **{damon: "0\n"})["touched"].says
    in_use = host(tmp_path, **{damon: "3\n"})["touched"].says
    assert "in use by somebody else: 3 monitors" in in_use


DAEMON = "python3\0/usr/bin/aerostat\0run\0--libvirt\0qemu:///system\0"


@pytest.mark.parametrize(
    ("score", "swapped_kib", "grade", "fix"),
    [
        ("0", 0, Grade.ADVICE, "OOMScoreAdjust=-999"),
        ("-999", 0, Grade.GOOD, None),
        ("-999", 2048, Grade.ADVICE, "MemorySwapMax=0"),
    ],
)
def test_the_daemon_s_own_protection(
    tmp_path: Path, score: str, swapped_kib: int, grade: Grade, fix: str | None
) -> None:
    found = host(
        tmp_path,
        **{
            "proc/77/cmdline": DAEMON,
            "proc/77/oom_score_adj": f"{score}\n",
            "proc/77/status": f"VmSwap:\t{swapped_kib} kB\n",
        },
    )["daemon"]
    assert found.grade is grade
    assert found.fix is None if fix is None else fix in (found.fix or "")


def test_no_daemon_is_no_fault(tmp_path: Path) -> None:
    assert host(tmp_path)["daemon"].grade is Grade.GOOD


@pytest.mark.parametrize(("free_kib", "grade"), [(9000000, Grade.GOOD), (1000000, Grade.ADVICE)])
def test_the_memory_reserve(tmp_path: Path, free_kib: int, grade: Grade) -> None:
    host(tmp_path, **{"proc/meminfo": MEMINFO.format(free=free_kib)})
    (found,) = promised(tmp_path, ())
    assert (found.check, found.grade) == ("reserve", grade)
