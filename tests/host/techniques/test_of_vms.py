"""What is done to one VM: soft limits, reclaim of older kernels, and which memory is its RAM."""

from pathlib import Path

import pytest

from aerostat.host.techniques.changes import undo
from aerostat.host.techniques.page_out import Range, largest_private_range, largest_ram_range
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_limit import LimitState, VmLimit
from aerostat.host.techniques.vm_reclaim import ReclaimState, VmReclaim
from aerostat.units import GIB, KIB, MIB
from host.techniques.conftest import FakeKernel

GROUP = "/sys/fs/cgroup/vms/ada"
HIGH = f"{GROUP}/memory.high"
SOFT = f"{GROUP}/memory.soft_limit_in_bytes"


def write(kernel: FakeKernel, name: str, text: str) -> None:
    path = kernel.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("is_v2", "knob", "unlimited"), [(True, HIGH, "max"), (False, SOFT, str(2**63 - 4096))]
)
def test_a_soft_limit_is_set_in_whole_pages_and_taken_back(
    kernel: FakeKernel, log: UndoLog, is_v2: bool, knob: str, unlimited: str
) -> None:
    write(kernel, knob, unlimited)
    limit = VmLimit(kernel, log, Path(GROUP), is_v2=is_v2)
    assert limit.probe().is_usable
    assert limit.probe().warning is not None
    limit.apply(LimitState(soft_bytes=100 * MIB + 5))
    assert kernel.read(knob) == str(100 * MIB)
    assert limit.restore() == []
    assert kernel.read(knob) == unlimited


def test_a_soft_limit_left_by_a_killed_process_is_taken_back(
    kernel: FakeKernel, log: UndoLog, tmp_path: Path
) -> None:
    write(kernel, HIGH, "max")
    VmLimit(kernel, log, Path(GROUP), is_v2=True).apply(LimitState(soft_bytes=GIB))
    later = UndoLog(tmp_path / "state/undo.json", kernel)
    assert later.undo(None, lambda change: undo(change, kernel)) == []
    assert kernel.read(HIGH) == "max"


def test_a_limit_ends_with_its_vm(kernel: FakeKernel, log: UndoLog) -> None:
    write(kernel, HIGH, "max")
    limit = VmLimit(kernel, log, Path(GROUP), is_v2=True)
    limit.apply(LimitState(soft_bytes=GIB))
    kernel.path(HIGH).unlink()
    assert limit.restore() == []
    assert log.pending() == ()


def test_a_limit_that_no_vm_fits_is_refused(kernel: FakeKernel, log: UndoLog) -> None:
    write(kernel, HIGH, "max")
    with pytest.raises(TechniqueError, match="not held to 10 MiB"):
        VmLimit(kernel, log, Path(GROUP), is_v2=True).apply(LimitState(soft_bytes=10 * MIB))
    assert kernel.read(HIGH) == "max"


def test_where_memory_is_not_accounted_a_limit_says_so(kernel: FakeKernel, log: UndoLog) -> None:
    assert "memory.high is missing" in VmLimit(kernel, log, Path(GROUP), is_v2=True).probe().why


def test_what_of_a_limited_vm_lies_in_swap_is_read(kernel: FakeKernel, log: UndoLog) -> None:
    write(kernel, f"{GROUP}/memory.swap.current", "8192")
    write(kernel, f"{GROUP}/memory.stat", "zswap 4096\nswap 12288\n")
    on_v2 = VmLimit(kernel, log, Path(GROUP), is_v2=True).read()
    assert (on_v2.taken_bytes, on_v2.held_bytes) == (8192, 4096)
    assert VmLimit(kernel, log, Path(GROUP), is_v2=False).read().taken_bytes == 12 * KIB


class Reclaiming(FakeKernel):
    """Holds the VM to memory.high the moment that is written."""

    def write(self, name: str, text: str, *, may_fall_short: bool = False) -> None:
        super().write(name, text, may_fall_short=may_fall_short)
        if name == HIGH and text != "max":
            self.path(f"{GROUP}/memory.current").write_text(text)


def test_before_memory_reclaim_a_high_that_is_lifted_at_once_takes_memory(
    kernel: FakeKernel, log: UndoLog
) -> None:
    host = Reclaiming(kernel.root)
    write(host, HIGH, "max")
    write(host, f"{GROUP}/memory.current", str(256 * MIB))
    reclaim = VmReclaim(host, log, Path(GROUP), is_v2=True)
    assert "memory.high, lowered and lifted at once" in reclaim.probe().why
    reclaim.apply(ReclaimState(take_bytes=80 * MIB))
    assert reclaim.last is not None
    assert reclaim.last.taken_bytes == 80 * MIB
    assert host.read(HIGH) == "max"
    assert log.pending() == ()


OWN = "7f0000000000-7f0020000000 rw-p 00000000 00:00 0"
MEMFD = "7e0000000000-7e0040000000 rw-s 00000000 00:01 2051 /memfd:memory-backend-memfd (deleted)"
SHM = "7e0000000000-7e0040000000 rw-s 00000000 00:16 7 /dev/shm/my vm.ram"
DISK = "7d0000000000-7d0080000000 rw-s 00000000 08:01 99 /var/lib/vm.ram"
CODE = "7c0000000000-7c0090000000 r-xp 00000000 08:01 98 /usr/bin/qemu-system-x86_64"


@pytest.mark.parametrize(
    ("maps", "first"),
    [
        ([OWN, CODE], 0x7F0000000000),
        ([OWN, MEMFD], 0x7E0000000000),
        ([OWN, SHM], 0x7E0000000000),
        ([OWN, DISK], 0x7F0000000000),  # to page that out is to write a file
    ],
)
def test_a_vms_ram_is_its_largest_mapping_of_memory(maps: list[str], first: int) -> None:
    found = largest_ram_range("\n".join(maps))
    assert found is not None
    assert found.first == first


def test_only_private_memory_without_a_file_is_offered_for_merging() -> None:
    found = largest_private_range(f"{MEMFD}\n{OWN}\n")
    assert found == Range(first=0x7F0000000000, end=0x7F0020000000)
    assert largest_private_range(MEMFD) is None
    assert largest_ram_range(f"{CODE}\n{DISK}\n") is None
