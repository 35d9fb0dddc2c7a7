"""Splits huge pages of which a VM has given a part, so that the host gets that part back.

Who gives up 4 KiB of a huge page is rid of them at once, but the host keeps all 2 MiB until the
kernel splits the page, which it does when it reclaims: so it is asked to, through the VM's memory
cgroup, for just as much as is held in vain. For that moment the VM is kept from swap: what it uses
stays where it is, and no swap is needed.
"""

import time
from pathlib import Path

from aerostat.host.cgroup_figures import parse_counts, unsplit_bytes
from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_reclaim import Reclaimed, ReclaimState, VmReclaim
from aerostat.units import MIB

TRIES_MAX = 4
"""The kernel splits some of them at a time."""


class PageSplit:
    """Splits the huge pages of the VM that has the cgroup ``group`` to itself."""

    name = "split"

    def __init__(self, kernel: Kernel, log: UndoLog, group: Path, *, is_v2: bool) -> None:
        self._kernel = kernel
        self._changes = Changes(self.name, kernel, log)
        self._group = group
        self._is_v2 = is_v2
        self._reclaim = VmReclaim(kernel, log, group, is_v2=is_v2)
        self.last: Reclaimed | None = None

    def unsplit_bytes(self) -> int | None:
        """What the host holds in vain; None: this kernel does not say."""
        stat = parse_counts(self._kernel.read_if_any(str(self._group / "memory.stat")) or "")
        if self._is_v2:
            return unsplit_bytes(stat, mapped="anon")
        return unsplit_bytes(stat, mapped="rss", prefix="total_")

    def apply(self, state: ReclaimState) -> None:
        """Split, until so much came back or a turn brings nothing.

        Raises:
            TechniqueError: there is nothing to ask, or the kernel refused.
        """
        unsplit = self.unsplit_bytes()
        if unsplit is None:
            raise TechniqueError(f"{self._group}/memory.stat does not say what is mapped")
        began_s, before = time.monotonic(), self._reclaim.held_bytes()
        left = min(unsplit, state.take_bytes)
        try:
            self._keep_from_swap()
            for _ in range(TRIES_MAX):
                if left < MIB:
                    break
                self._reclaim.apply(ReclaimState(take_bytes=left))
                done = self._reclaim.last
                if done is None or done.taken_bytes < MIB:
                    break
                left = min(left - done.taken_bytes, self.unsplit_bytes() or 0)
        finally:
            remarks = self._changes.undo()
        if remarks:
            raise TechniqueError("; ".join(remarks))
        fell = before - self._reclaim.held_bytes()
        self.last = Reclaimed(taken_bytes=fell, took_s=time.monotonic() - began_s)

    def restore(self) -> list[str]:
        """Let it be swapped again, where a killed process left it kept from it."""
        return [*self._reclaim.restore(), *self._changes.undo()]

    def _keep_from_swap(self) -> None:
        knob = self._group / ("memory.swap.max" if self._is_v2 else "memory.swappiness")
        if self._kernel.read_if_any(str(knob)) is not None:  # else this kernel swaps nothing at all
            self._changes.set_knob(str(knob), "0")
