"""Keeps techniques of the host away from VMs that the operator exempts.

Once the host swaps or compresses, its kernel picks pages of anybody. A VM with a memory cgroup of
its own can be left out: on v1 by a swappiness of 0, which leaves out both. On v2 there is a knob
for each, where compression is zswap: ``memory.swap.max`` for both, ``memory.zswap.max`` for
compression alone, and ``memory.zswap.writeback`` (from 6.8 on) for the disk alone. To zram nothing
tells one device from another, so exempt from one of them is exempt from both. KSM leaves a VM alone
that never offered its memory (``-machine mem-merge=off``): that is for whoever starts it.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from aerostat.host.cgroup import CgroupReader, OwnGroups
from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.page_out import largest_private_range
from aerostat.host.techniques.technique import SPARING, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.model.host_state import TAKING_STEPS, LadderStep
from aerostat.model.techniques import Spared


class Sparing:
    """Sets it, and the undo log knows."""

    def __init__(
        self, kernel: Kernel, log: UndoLog, cgroups: CgroupReader, *, by_zswap: bool
    ) -> None:
        """``by_zswap`` tells what compresses; else it is zram."""
        self._kernel = kernel
        self._changes = Changes(self.name(LadderStep.SWAP), kernel, log)
        self._cgroups = cgroups
        self._by_zswap = by_zswap

    @staticmethod
    def name(step: LadderStep) -> str:
        """What these changes are called in the undo log; swap and compression share theirs."""
        shared = LadderStep.SWAP if step in TAKING_STEPS else step
        return f"{SPARING}{shared.value}"

    def spare(self, step: LadderStep, spared: Sequence[Spared], on: Collection[LadderStep]) -> None:
        """See to it that a technique leaves these VMs alone; before it is on.

        Args:
            step: the technique that is about to be on, or to be put back.
            spared: the VMs, and what each is exempt from.
            on: all that will be on then.

        Raises:
            TechniqueError: one of them cannot be left out.
        """
        if step is LadderStep.MERGE:
            for one in spared:
                if step in one.steps:
                    self._require_unmergeable(one)
            return
        for knob in self._knobs(spared, on):
            self._changes.set_knob(knob, "0")

    def settle(self, spared: Sequence[Spared], on: Collection[LadderStep]) -> list[str]:
        """Take away what keeps a VM from more than it is exempt from; once all that is on is.

        Returns:
            In words, what could not be.

        Raises:
            TechniqueError: one of them cannot be left out.
        """
        return self._changes.undo_others(self._knobs(spared, on))

    def _knobs(self, spared: Sequence[Spared], on: Collection[LadderStep]) -> list[str]:
        reachable = set(on)
        if self._by_zswap and LadderStep.COMPRESS in on:
            reachable.add(LadderStep.SWAP)  # what does not fit zswap's pool goes on to the disk
        found = set()
        for one in spared:
            steps = [step for step in TAKING_STEPS if step in reachable and step in one.steps]
            if steps:
                found.add(self._knob(one, steps[0], [s for s in TAKING_STEPS if s in on]))
        return sorted(found)

    def _knob(self, one: Spared, step: LadderStep, on: Sequence[LadderStep]) -> str:
        """The file that keeps a VM from all it is exempt from; 0 in it does."""
        groups = self._cgroups.groups(one.pid)
        if groups.charge is None:
            raise TechniqueError(
                f"{one.name} is exempt from '{step.value}', and has no memory cgroup of its own by "
                "which it could be spared: give it one, or take the exemption away"
            )
        return str(self._file(groups, groups.charge, [s for s in on if s not in one.steps]))

    def _file(self, groups: OwnGroups, charge: Path, left: Sequence[LadderStep]) -> Path:
        """Which file that is, where ``left`` is still for it."""
        if not groups.is_v2:
            return charge / "memory.swappiness"
        own = {
            LadderStep.COMPRESS: "memory.zswap.writeback",  # the pool, and never the disk
            LadderStep.SWAP: "memory.zswap.max",  # the disk, and never the pool
        }
        if self._by_zswap and left:
            file = charge / own[left[0]]
            if self._kernel.path(str(file)).exists():
                return file
        return charge / "memory.swap.max"

    def _require_unmergeable(self, one: Spared) -> None:
        if is_mergeable(self._kernel, one.pid):
            raise TechniqueError(
                f"{one.name} is exempt from 'merge' and offers its memory for merging: start it "
                "with -machine mem-merge=off (libvirt: <nosharepages/>), or take the exemption away"
            )


def is_mergeable(kernel: Kernel, pid: int) -> bool:
    """Whether the process offers its largest private mapping, a VM's RAM, to KSM."""
    ram = largest_private_range(kernel.read_if_any(f"/proc/{pid}/maps") or "")
    if ram is None:
        return False
    inside = False
    for line in (kernel.read_if_any(f"/proc/{pid}/smaps") or "").splitlines():
        first, dash, _ = line.partition("-")
        if dash and ":" not in first:
            inside = first.lstrip("0") == f"{ram.first:x}"
        elif inside and line.startswith("VmFlags:"):
            return "mg" in line.split()
    return False
