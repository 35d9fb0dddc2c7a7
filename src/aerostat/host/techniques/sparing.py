"""Keeps techniques of the host away from VMs that the operator exempts.

Once the host swaps or compresses, its kernel picks pages of anybody. A VM with a memory cgroup of
its own can be left out: on v1 by a swappiness of 0, on v2 by ``memory.swap.max``. KSM leaves a VM
alone that never offered its memory (``-machine mem-merge=off``): that is for whoever starts it.
"""

from collections.abc import Sequence

from aerostat.host.cgroup import CgroupReader
from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.page_out import largest_private_range
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.model.host_state import LadderStep
from aerostat.model.techniques import Spared


class Sparing:
    """Sets it, and the undo log knows."""

    def __init__(self, kernel: Kernel, log: UndoLog, cgroups: CgroupReader) -> None:
        self._kernel = kernel
        self._log = log
        self._cgroups = cgroups

    @staticmethod
    def name(step: LadderStep) -> str:
        """What these changes are called in the undo log."""
        return f"spare_{step.value}"

    def spare(self, step: LadderStep, spared: Sequence[Spared]) -> None:
        """See to it that a technique that is on leaves these VMs alone.

        Raises:
            TechniqueError: one of them cannot be left out.
        """
        for one in spared:
            if step is LadderStep.MERGE:
                self._require_unmergeable(one)
            else:
                self._keep_from_swap(step, one)

    def _keep_from_swap(self, step: LadderStep, one: Spared) -> None:
        groups = self._cgroups.groups(one.pid)
        if groups.charge is None:
            raise TechniqueError(
                f"{one.name} is exempt from '{step.value}', and has no memory cgroup of its own by "
                "which it could be spared: give it one, or take the exemption away"
            )
        changes = Changes(self.name(step), self._kernel, self._log)
        knob = "memory.swap.max" if groups.is_v2 else "memory.swappiness"
        changes.set_knob(str(groups.charge / knob), "0")

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
