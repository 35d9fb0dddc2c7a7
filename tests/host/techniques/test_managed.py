"""The ladder's techniques on a host made of files: switched on, shared, spared, put back."""

import asyncio
from pathlib import Path

import pytest

from aerostat.host.techniques.changes import undo
from aerostat.host.techniques.managed import (
    CompressWith,
    ManagedTechniques,
    TechniqueSettings,
    put_back_all,
)
from aerostat.host.techniques.sparing import is_mergeable
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep
from aerostat.model.techniques import HostTake, Spared
from aerostat.units import MIB
from host.techniques.conftest import FakeKernel, knobs

PID = 4242
GROUP = "/sys/fs/cgroup/memory/vms/dear"
MAPS = "7f0000000000-7f0020000000 rw-p 00000000 00:00 0\n7ff000000000-7ff000001000 rw-p 0 00:00 0\n"


def write(kernel: FakeKernel, name: str, text: str) -> None:
    path = kernel.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def vm(kernel: FakeKernel) -> FakeKernel:
    """A VM in a memory cgroup (v1) of its own."""
    write(
        kernel,
        "/proc/self/mountinfo",
        "30 23 0:26 / /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory\n",
    )
    write(kernel, f"/proc/{PID}/cgroup", "9:memory:/vms/dear\n")
    write(kernel, f"/proc/{PID}/maps", MAPS)
    write(kernel, f"/proc/{PID}/smaps", f"{MAPS.splitlines()[0]}\nRss: 4 kB\nVmFlags: rd wr mg\n")
    write(kernel, f"{GROUP}/memory.usage_in_bytes", "1000000")
    write(kernel, f"{GROUP}/cgroup.procs", f"{PID}\n")
    write(kernel, f"{GROUP}/memory.swappiness", "60")
    return kernel


def techniques(kernel: FakeKernel, log: UndoLog, **settings: object) -> ManagedTechniques:
    return ManagedTechniques(kernel, log, TechniqueSettings(**settings))  # type: ignore[arg-type] # real fields


def on(managed: ManagedTechniques, step: LadderStep, *spared: Spared) -> str:
    return asyncio.run(managed.switch_on(step, spared))


def back(managed: ManagedTechniques, step: LadderStep) -> tuple[str, ...]:
    return asyncio.run(managed.put_back(step))


def dear(*steps: LadderStep) -> Spared:
    return Spared(name="dear", pid=PID, steps=steps)


def test_every_technique_is_put_back_one_by_one(kernel: FakeKernel, log: UndoLog) -> None:
    before = knobs(kernel)
    managed = techniques(kernel, log)
    for step in (LadderStep.MERGE, LadderStep.COMPRESS, LadderStep.SWAP):
        on(managed, step)
    assert kernel.read("/sys/kernel/mm/ksm/run") == "1"
    assert kernel.read("/sys/kernel/mm/ksm/pages_to_scan") == "1024"  # 200 MiB/s at 20 ms
    assert kernel.read("/sys/module/zswap/parameters/enabled") == "Y"
    for step in (LadderStep.MERGE, LadderStep.COMPRESS, LadderStep.SWAP):
        back(managed, step)
    assert knobs(kernel) == before
    assert log.pending() == ()


def test_what_a_killed_daemon_left_is_put_back_by_the_next(
    kernel: FakeKernel, log: UndoLog, tmp_path: Path
) -> None:
    before = knobs(kernel)
    managed = techniques(kernel, log)
    on(managed, LadderStep.MERGE)
    on(managed, LadderStep.COMPRESS)
    later = UndoLog(tmp_path / "state/undo.json", kernel)
    assert put_back_all(kernel, later) == []
    assert knobs(kernel) == before


def test_the_operators_swap_file_stays_while_one_step_needs_it(
    kernel: FakeKernel, log: UndoLog, tmp_path: Path
) -> None:
    path = tmp_path / "swap"
    managed = techniques(kernel, log, swap_file=path, swap_size_bytes=MIB)
    on(managed, LadderStep.COMPRESS)
    assert path.exists()
    write(
        kernel,
        "/proc/swaps",
        f"Filename Type Size Used Priority\n{path} file 1000 0 -2\n",
    )
    on(managed, LadderStep.SWAP)
    back(managed, LadderStep.COMPRESS)
    assert path.exists(), "swap still needs it"
    back(managed, LadderStep.SWAP)
    assert not path.exists()
    assert ["swapoff", str(path)] in [list(command) for command in kernel.ran]


def test_a_host_without_swap_says_what_is_missing(kernel: FakeKernel, log: UndoLog) -> None:
    write(kernel, "/proc/swaps", "Filename Type Size Used Priority\n")
    for step in (LadderStep.COMPRESS, LadderStep.SWAP):
        with pytest.raises(TechniqueError, match="add one"):
            on(techniques(kernel, log), step)
    assert log.pending() == ()


def test_zram_that_cannot_be_had_says_so(kernel: FakeKernel, log: UndoLog) -> None:
    managed = techniques(kernel, log, compress_with=CompressWith.ZRAM)
    with pytest.raises(TechniqueError, match="modprobe zram"):
        on(managed, LadderStep.COMPRESS)


def test_a_vm_that_is_exempt_is_kept_out_of_swap_and_let_in_again(
    vm: FakeKernel, log: UndoLog
) -> None:
    managed = techniques(vm, log)
    on(managed, LadderStep.SWAP, dear(LadderStep.SWAP))
    assert vm.read(f"{GROUP}/memory.swappiness") == "0"
    back(managed, LadderStep.SWAP)
    assert vm.read(f"{GROUP}/memory.swappiness") == "60"


def test_a_cgroup_that_ended_with_its_vm_needs_no_undoing(vm: FakeKernel, log: UndoLog) -> None:
    managed = techniques(vm, log)
    on(managed, LadderStep.SWAP, dear(LadderStep.SWAP))
    vm.path(f"{GROUP}/memory.swappiness").unlink()
    back(managed, LadderStep.SWAP)
    assert log.pending() == ()


def test_nothing_is_switched_on_where_an_exempt_vm_cannot_be_spared(
    kernel: FakeKernel, log: UndoLog
) -> None:
    before = knobs(kernel)
    managed = techniques(kernel, log)
    with pytest.raises(TechniqueError, match="dear is exempt from 'compress', and has no memory"):
        on(managed, LadderStep.COMPRESS, dear(LadderStep.COMPRESS))
    assert knobs(kernel) == before


def test_a_vm_that_comes_later_is_spared_then(vm: FakeKernel, log: UndoLog) -> None:
    managed = techniques(vm, log)
    on(managed, LadderStep.SWAP)
    assert vm.read(f"{GROUP}/memory.swappiness") == "60"
    on(managed, LadderStep.SWAP, dear(LadderStep.SWAP))
    assert vm.read(f"{GROUP}/memory.swappiness") == "0"


V2 = "/sys/fs/cgroup/vms/dear"
KNOBS = {"memory.swap.max": "max", "memory.zswap.max": "max", "memory.zswap.writeback": "1"}


@pytest.fixture
def vm_on_v2(kernel: FakeKernel) -> FakeKernel:
    """A VM in a cgroup (v2) of its own, with the knobs of kernel 6.8."""
    mounts = "30 23 0:26 / /sys/fs/cgroup rw shared:1 - cgroup2 cgroup2 rw\n"
    write(kernel, "/proc/self/mountinfo", mounts)
    write(kernel, f"/proc/{PID}/cgroup", "0::/vms/dear\n")
    write(kernel, f"{V2}/memory.current", "1000000")
    write(kernel, f"{V2}/cgroup.procs", f"{PID}\n")
    for name, text in KNOBS.items():
        write(kernel, f"{V2}/{name}", text)
    return kernel


def order_of(kernel: FakeKernel) -> list[str]:
    """The knobs in the order they were written, by their last names."""
    return [Path(name).name for name, _ in kernel.written]


def changed(kernel: FakeKernel) -> set[str]:
    """The knobs of the VM that are not as they were."""
    return {name for name, text in KNOBS.items() if kernel.read(f"{V2}/{name}") != text}


BOTH = (LadderStep.COMPRESS, LadderStep.SWAP)


@pytest.mark.parametrize(
    ("exempt", "on", "knob"),
    [
        (BOTH, BOTH, "memory.swap.max"),
        ((LadderStep.SWAP,), BOTH, "memory.zswap.writeback"),
        ((LadderStep.COMPRESS,), BOTH, "memory.zswap.max"),
        ((LadderStep.SWAP,), (LadderStep.SWAP,), "memory.swap.max"),
        ((LadderStep.COMPRESS,), (LadderStep.COMPRESS,), "memory.swap.max"),
        # What does not fit the pool goes on to the disk.
        ((LadderStep.SWAP,), (LadderStep.COMPRESS,), "memory.zswap.writeback"),
    ],
)
def test_on_v2_a_vm_is_kept_from_what_it_is_exempt_from_and_from_nothing_else(
    vm_on_v2: FakeKernel,
    log: UndoLog,
    exempt: tuple[LadderStep, ...],
    on: tuple[LadderStep, ...],
    knob: str,
) -> None:
    managed = techniques(vm_on_v2, log)
    for step in on:
        asyncio.run(managed.switch_on(step, [dear(*exempt)]))
    assert changed(vm_on_v2) == {knob}
    for step in reversed(on):
        back(managed, step)
    assert changed(vm_on_v2) == set()
    assert log.pending() == ()


def test_a_vm_exempt_from_the_disk_is_kept_from_it_when_compression_ends(
    vm_on_v2: FakeKernel, log: UndoLog
) -> None:
    managed = techniques(vm_on_v2, log)
    for step in BOTH:
        asyncio.run(managed.switch_on(step, [dear(LadderStep.SWAP)]))
    vm_on_v2.written.clear()
    back(managed, LadderStep.COMPRESS)
    assert changed(vm_on_v2) == {"memory.swap.max"}
    order = order_of(vm_on_v2)
    assert order.index("memory.swap.max") < order.index("enabled"), "before zswap is off"
    assert order[-1] == "memory.zswap.writeback"


def test_swap_comes_before_compression_and_the_vm_is_never_without_protection(
    vm_on_v2: FakeKernel, log: UndoLog
) -> None:
    managed = techniques(vm_on_v2, log)
    for step in reversed(BOTH):
        asyncio.run(managed.switch_on(step, [dear(LadderStep.SWAP)]))
    order = order_of(vm_on_v2)
    assert order.index("memory.zswap.writeback") < order.index("enabled")
    assert order[-1] == "memory.swap.max", "given back once the pool is there"
    assert changed(vm_on_v2) == {"memory.zswap.writeback"}


def test_an_older_kernel_or_zram_cannot_tell_them_apart_and_spares_both(
    vm_on_v2: FakeKernel, log: UndoLog
) -> None:
    vm_on_v2.path(f"{V2}/memory.zswap.writeback").unlink()
    managed = techniques(vm_on_v2, log)
    for step in BOTH:
        asyncio.run(managed.switch_on(step, [dear(LadderStep.SWAP)]))
    assert vm_on_v2.read(f"{V2}/memory.swap.max") == "0"


class Compressing(FakeKernel):
    """Takes memory of the VM when asked, into a pool that grows meanwhile."""

    def write(self, name: str, text: str, *, may_fall_short: bool = False) -> None:
        super().write(name, text, may_fall_short=may_fall_short)
        if name.endswith("memory.reclaim"):
            held = int(self.read(f"{V2}/memory.current"))
            self.path(f"{V2}/memory.current").write_text(str(held - int(text)))
            self.path("/sys/block/zram0/mm_stat").write_text(f"{text} 0 {int(text) // 4} 0 0\n")
            meminfo = self.read("/proc/meminfo").replace("Zswap: 1000", "Zswap: 9000")
            self.path("/proc/meminfo").write_text(meminfo)


@pytest.mark.parametrize("has_zram", [False, True])
def test_what_nobody_is_charged_for_is_deducted_of_a_take(
    vm_on_v2: FakeKernel, log: UndoLog, has_zram: bool
) -> None:
    host = Compressing(vm_on_v2.root)
    write(host, f"{V2}/memory.current", str(64 * MIB))
    write(host, f"{V2}/memory.reclaim", "")
    write(host, "/sys/block/zram0/mm_stat", "0 0 0 0 0\n")
    device = "/dev/zram0" if has_zram else "/dev/sdb"
    write(host, "/proc/swaps", f"Filename Type Size Used Priority\n{device} partition 900000 0 5\n")
    order = HostTake(guest=GuestId("x"), pid=PID, size_bytes=16 * MIB, step=LadderStep.COMPRESS)
    taken = asyncio.run(techniques(host, log).take(order)).taken_bytes
    # On v2 the VM is charged for zswap's pool, whose growth shows in its charge already.
    assert taken == (12 * MIB if has_zram else 16 * MIB)


def test_pages_are_not_merged_while_an_exempt_vm_offers_its_own(
    vm: FakeKernel, log: UndoLog
) -> None:
    managed = techniques(vm, log)
    assert is_mergeable(vm, PID)
    with pytest.raises(TechniqueError, match="mem-merge=off"):
        on(managed, LadderStep.MERGE, dear(LadderStep.MERGE))
    assert vm.read("/sys/kernel/mm/ksm/run") == "0"
    write(vm, f"/proc/{PID}/smaps", f"{MAPS.splitlines()[0]}\nRss: 4 kB\nVmFlags: rd wr\n")
    on(managed, LadderStep.MERGE, dear(LadderStep.MERGE))
    assert vm.read("/sys/kernel/mm/ksm/run") == "1"


def test_a_vm_that_is_gone_cannot_be_taken_from(kernel: FakeKernel, log: UndoLog) -> None:
    order = HostTake(guest=GuestId("x"), pid=999_999, size_bytes=MIB, step=LadderStep.SWAP)
    with pytest.raises(TechniqueError, match="999999"):
        asyncio.run(techniques(kernel, log).take(order))


def test_what_cannot_be_put_back_stays_on_and_says_why(kernel: FakeKernel, log: UndoLog) -> None:
    managed = techniques(kernel, log)
    on(managed, LadderStep.MERGE)
    write(kernel, "/sys/kernel/mm/ksm/pages_sharing", "1000000")  # 4 GB of a host with 1 available
    with pytest.raises(TechniqueError, match="parting merged pages would bring"):
        back(managed, LadderStep.MERGE)
    write(kernel, "/sys/kernel/mm/ksm/pages_sharing", "1000")
    back(managed, LadderStep.MERGE)
    assert log.undo(None, lambda change: undo(change, kernel)) == []
    assert kernel.read("/sys/kernel/mm/ksm/run") == "0"
