"""Asks the kernel to take memory back from one VM through its memory cgroup, there and then.

cgroup v2 has a file for it (``memory.reclaim``, from 5.19); before that, ``memory.high`` lowered
and lifted again does the same, for the kernel reclaims while it is written. On v1 that is the hard
limit: one that cannot be reached does not stand, and for the moment between the killer is held off.
A standing hard limit is never used to take memory: below the working set it kills VMs even where
there is swap to spare.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from aerostat.host.proc_text import parse_count
from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, Saving, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vmstat_counts import bytes_of, parse_counts
from aerostat.units import MIB

SLICE_BYTES = 32 * MIB
"""Taken in one call: the VM waits while its pages are unmapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReclaimState:
    """So much less than the VM holds now."""

    take_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaimed:
    """What a reclaim came to."""

    taken_bytes: int  # by which the cgroup's charge fell
    took_s: float


class VmReclaim:
    """Proactive reclaim from the VM that has the cgroup ``group`` to itself."""

    name = "reclaim"

    def __init__(self, kernel: Kernel, log: UndoLog, group: Path, *, is_v2: bool) -> None:
        self._kernel = kernel
        self._changes = Changes(self.name, kernel, log)
        self._group = group
        self._is_v2 = is_v2
        self.last: Reclaimed | None = None

    def probe(self) -> Probe:
        """Look whether this cgroup can be asked, and whether there is swap to take memory to."""
        needed = self._needed()
        if not self._kernel.path(self._file(needed)).exists():
            why = f"{self._file(needed)} is missing: is memory accounted here?"
            return Probe(is_usable=False, why=why)
        room = sum(swap.size_bytes - swap.used_bytes for swap in read_swaps(self._kernel))
        if room == 0:
            why = "the host has no swap left, and a VM's memory has nowhere else to go: add swap"
            return Probe(is_usable=False, why=why)
        is_asked = needed == "memory.reclaim"
        how = needed if is_asked else f"{needed}, lowered and lifted at once"
        return Probe(is_usable=True, why=f"by {how}; {room // MIB} MiB of swap left")

    def read(self) -> Saving:
        """Read what of the VM lies in swap."""
        counts = parse_counts(self._kernel.read_if_any(self._file("memory.stat")))
        swapped = self._count("memory.swap.current") if self._is_v2 else counts.get("swap")
        return Saving(
            taken_bytes=swapped,
            held_bytes=counts.get("zswap", 0),
            in_bytes=bytes_of(counts, "pswpin"),
            out_bytes=bytes_of(counts, "pswpout"),
        )

    def apply(self, state: ReclaimState) -> None:
        """Take ``take_bytes`` in slices, until taken or until a slice brings nothing.

        Raises:
            TechniqueError: there is nothing to ask, or the kernel refused for another reason than
                having found nothing.
        """
        began_s, before = time.monotonic(), self.held_bytes()
        goal = max(0, before - state.take_bytes)
        held = before
        while held > goal:
            self._take(min(SLICE_BYTES, held - goal), held)
            now = self.held_bytes()
            if now >= held:
                break
            held = now
        self.last = Reclaimed(taken_bytes=before - held, took_s=time.monotonic() - began_s)

    def restore(self) -> list[str]:
        """Lift a limit that a killed process may have left; pages come back as they are used."""
        return self._changes.undo()

    def held_bytes(self) -> int:
        """The cgroup's charge.

        Raises:
            TechniqueError: it cannot be read.
        """
        name = "memory.current" if self._is_v2 else "memory.usage_in_bytes"
        count = self._count(name)
        if count is None:
            raise TechniqueError(f"{self._file(name)} cannot be read: is the VM still there?")
        return count

    def _take(self, size_bytes: int, held_bytes: int) -> None:
        needed = self._needed()
        if needed == "memory.reclaim":
            # EAGAIN: less than asked for could be taken. The charge tells how much it was.
            self._kernel.write(self._file(needed), str(size_bytes), may_fall_short=True)
            return
        if needed == "memory.high":
            self._lower_and_lift(self._file(needed), held_bytes - size_bytes)
            return
        killer, limit = self._file("memory.oom_control"), self._file("memory.limit_in_bytes")
        was_off = "oom_kill_disable 1" in self._kernel.read(killer)
        self._changes.write(killer, "1", before="1" if was_off else "0")
        # EBUSY: it could not be brought below, and then the limit does not stand either.
        self._lower_and_lift(limit, held_bytes - size_bytes)

    def _lower_and_lift(self, limit: str, to_bytes: int) -> None:
        try:
            before = self._kernel.read(limit)
            self._changes.write(limit, str(to_bytes), before=before, may_fall_short=True)
        finally:
            remarks = self._changes.undo()
        if remarks:
            raise TechniqueError("; ".join(remarks))

    def _needed(self) -> str:
        """The file that takes memory, of this kernel."""
        if not self._is_v2:
            return "memory.limit_in_bytes"
        has_reclaim = self._kernel.path(self._file("memory.reclaim")).exists()
        return "memory.reclaim" if has_reclaim else "memory.high"

    def _count(self, name: str) -> int | None:
        text = self._kernel.read_if_any(self._file(name))
        return parse_count(text) if text is not None else None

    def _file(self, name: str) -> str:
        return str(self._group / name)
