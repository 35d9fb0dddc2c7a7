"""A soft limit on one VM's memory: what is beyond it the kernel takes back, and kills nobody.

cgroup v2 has ``memory.high``: whoever is beyond it reclaims for himself and is slowed down, at once
and for as long as it stands. v1 has ``memory.soft_limit_in_bytes``, which only says whose memory
goes first once the whole host is short. Hard limits are not used: below the working set they kill
VMs even where there is swap to spare.
"""

from dataclasses import dataclass
from pathlib import Path

from aerostat.host.proc_text import parse_count
from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.technique import VM_LIMIT, Probe, Saving, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vmstat_counts import parse_counts
from aerostat.units import MIB, PAGE_BYTES

LEAST_BYTES = 64 * MIB
"""A lower limit is a mistake: a VM's process alone holds more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """So much the VM may hold before it is slowed down."""

    soft_bytes: int


class VmLimit:
    """The soft limit of the VM that has the cgroup ``group`` to itself."""

    name = VM_LIMIT

    def __init__(self, kernel: Kernel, log: UndoLog, group: Path, *, is_v2: bool) -> None:
        self._kernel = kernel
        self._changes = Changes(self.name, kernel, log)
        self._group = group
        self._is_v2 = is_v2
        self._knob = str(group / ("memory.high" if is_v2 else "memory.soft_limit_in_bytes"))

    def probe(self) -> Probe:
        """Look whether this cgroup has such a limit."""
        if not self._kernel.path(self._knob).exists():
            why = f"{self._knob} is missing: is memory accounted here?"
            return Probe(is_usable=False, why=why)
        if self._is_v2:
            warning = "a limit below what the VM works with makes it wait without end"
            return Probe(is_usable=True, why="by memory.high", warning=warning)
        return Probe(
            is_usable=True,
            why="by memory.soft_limit_in_bytes",
            warning="it takes nothing by itself: the kernel heeds it when the whole host is short",
        )

    def read(self) -> Saving:
        """Read what of the VM lies in swap."""
        counts = parse_counts(self._kernel.read_if_any(str(self._group / "memory.stat")))
        if not self._is_v2:
            return Saving(taken_bytes=counts.get("swap"))
        swapped = self._kernel.read_if_any(str(self._group / "memory.swap.current"))
        taken = parse_count(swapped) if swapped is not None else None
        return Saving(taken_bytes=taken, held_bytes=counts.get("zswap", 0))

    def apply(self, state: LimitState) -> None:
        """Set the limit; on v2 the kernel reclaims what is beyond it before this returns.

        Raises:
            TechniqueError: it is too low to be meant, or the kernel refused.
        """
        if state.soft_bytes < LEAST_BYTES:
            raise TechniqueError(
                f"a VM is not held to {state.soft_bytes // MIB} MiB: its process alone holds "
                f"{LEAST_BYTES // MIB} MiB"
            )
        pages = state.soft_bytes // PAGE_BYTES
        self._changes.set_knob(self._knob, str(pages * PAGE_BYTES))

    def restore(self) -> list[str]:
        """Set the limit back to what it was; pages come back as they are used."""
        return self._changes.undo()
