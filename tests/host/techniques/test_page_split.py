"""Splitting a VM's huge pages, on a kernel made of files that gives back what was held in vain."""

from pathlib import Path

import pytest

from aerostat.host.techniques.changes import undo
from aerostat.host.techniques.page_split import PageSplit
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_reclaim import ReclaimState
from aerostat.units import MIB
from host.techniques.conftest import FakeKernel

V1 = "/sys/fs/cgroup/memory/vms/a"
V2 = "/sys/fs/cgroup/vms/a"
MAPPED = 400 * MIB


class SplittingKernel(FakeKernel):
    """Splits as much as it is asked to reclaim, while the VM is kept from swap."""

    unsplit_bytes = 180 * MIB
    splits = True
    swapped_bytes = 0

    def write(self, name: str, text: str, *, may_fall_short: bool = False) -> None:
        super().write(name, text, may_fall_short=may_fall_short)
        if name.endswith("memory.reclaim"):
            self._reclaim(V2, int(text))
        elif name.endswith("memory.limit_in_bytes") and text.isdigit():
            self._reclaim(V1, max(0, self.held_bytes(V1) - int(text)))

    def held_bytes(self, group: str) -> int:
        name = "memory.current" if group == V2 else "memory.usage_in_bytes"
        return int(self.read(f"{group}/{name}"))

    def lay_out(self, group: str) -> None:
        is_v2 = group == V2
        total, mapped = ("", "anon") if is_v2 else ("total_", "rss")
        stat = f"{total}{mapped} {MAPPED}\n{total}active_anon 0\n"
        stat += f"{total}inactive_anon {MAPPED + self.unsplit_bytes}\n"
        held = str(MAPPED + self.unsplit_bytes)
        self._put(f"{group}/memory.stat", stat)
        self._put(f"{group}/{'memory.current' if is_v2 else 'memory.usage_in_bytes'}", held)

    def _put(self, name: str, text: str) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _reclaim(self, group: str, size_bytes: int) -> None:
        is_v2 = group == V2
        knob = f"{group}/{'memory.swap.max' if is_v2 else 'memory.swappiness'}"
        if self.read(knob) != "0":
            self.swapped_bytes += size_bytes
        if self.splits:
            self.unsplit_bytes -= min(self.unsplit_bytes, size_bytes)
        self.lay_out(group)


@pytest.fixture
def splitting(kernel: FakeKernel) -> SplittingKernel:
    own = SplittingKernel(kernel.root)
    own.lay_out(V1)
    own.lay_out(V2)
    for name, text in {
        f"{V1}/memory.swappiness": "60",
        f"{V1}/memory.limit_in_bytes": "9223372036854771712",
        f"{V1}/memory.oom_control": "oom_kill_disable 0",
        f"{V2}/memory.swap.max": "max",
        f"{V2}/memory.reclaim": "",
    }.items():
        own.path(name).write_text(text)
    return own


def split(kernel: SplittingKernel, log: UndoLog, group: str) -> PageSplit:
    return PageSplit(kernel, log, Path(group), is_v2=group == V2)


@pytest.mark.parametrize("group", [V1, V2])
def test_what_was_held_in_vain_comes_back_and_nothing_is_swapped(
    splitting: SplittingKernel, log: UndoLog, group: str
) -> None:
    splitter = split(splitting, log, group)
    assert splitter.unsplit_bytes() == 180 * MIB
    splitter.apply(ReclaimState(take_bytes=180 * MIB))
    assert splitter.last is not None
    assert splitter.last.taken_bytes == 180 * MIB
    assert splitting.held_bytes(group) == MAPPED
    assert splitting.swapped_bytes == 0
    assert not log.pending()
    knob = "memory.swap.max" if group == V2 else "memory.swappiness"
    assert splitting.read(f"{group}/{knob}") in ("max", "60")


def test_no_more_is_asked_for_than_is_held_in_vain(
    splitting: SplittingKernel, log: UndoLog
) -> None:
    splitter = split(splitting, log, V2)
    splitter.apply(ReclaimState(take_bytes=4096 * MIB))
    assert splitting.held_bytes(V2) == MAPPED


def test_a_kernel_that_splits_nothing_is_not_asked_forever(
    splitting: SplittingKernel, log: UndoLog
) -> None:
    splitting.splits = False
    splitter = split(splitting, log, V1)
    splitter.apply(ReclaimState(take_bytes=180 * MIB))
    assert splitter.last is not None
    assert splitter.last.taken_bytes == 0
    assert not log.pending()


def test_one_killed_on_the_way_is_put_back(splitting: SplittingKernel, log: UndoLog) -> None:
    splitting.path(f"{V2}/memory.reclaim").unlink()
    with pytest.raises(TechniqueError):
        split(splitting, log, V2).apply(ReclaimState(take_bytes=MIB * 20))
    assert splitting.read(f"{V2}/memory.swap.max") == "max"
    splitting.path(f"{V1}/memory.swappiness").write_text("60")
    splitter = split(splitting, log, V1)
    splitter._keep_from_swap()  # and killed here
    assert splitting.read(f"{V1}/memory.swappiness") == "0"
    assert log.undo(None, lambda change: undo(change, splitting)) == []
    assert splitting.read(f"{V1}/memory.swappiness") == "60"


def test_a_cgroup_that_does_not_say_what_is_mapped_is_left_alone(
    splitting: SplittingKernel, log: UndoLog
) -> None:
    splitting.path(f"{V1}/memory.stat").write_text("total_cache 1")
    with pytest.raises(TechniqueError, match=r"memory\.stat"):
        split(splitting, log, V1).apply(ReclaimState(take_bytes=MIB))
