"""Compression before swap: zswap keeps what the host swaps out in memory, compressed.

It needs a swap device behind it, which takes what does not compress and what does not fit. A pool
that is full refuses: what is cold stays in it, and what is hot goes to the disk. So the kernel is
asked to write back what lies there longest, where it can (``shrinker_enabled``, Linux 6.8). Not
where memory is limited by cgroup v1: who lowers a limit there reclaims as long as anything moves,
and with the pool being written back that had no end (seen on Linux 6.18).
Kernel documentation: Documentation/admin-guide/mm/zswap.rst.
"""

import os
from dataclasses import dataclass

from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.kernel_thread import read_cpu_s
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, Saving, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vmstat_counts import bytes_of, read_vmstat

PARAMETERS = "/sys/module/zswap/parameters"
KNOBS = tuple(
    f"{PARAMETERS}/{name}"
    for name in ("enabled", "compressor", "max_pool_percent", "shrinker_enabled")
)
"""Everything that is ever set; a kernel may lack the last."""
V1_LIMIT = "/sys/fs/cgroup/memory/memory.limit_in_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZswapState:
    """How zswap shall work."""

    compressor: str | None = None  # None: leave the kernel's choice
    pool_ratio_max: float = 0.20  # of host RAM


class Zswap:
    """zswap of this host."""

    name = "zswap"

    def __init__(self, kernel: Kernel, log: UndoLog) -> None:
        self._kernel = kernel
        self._changes = Changes(self.name, kernel, log)

    def probe(self) -> Probe:
        """Look whether the kernel has it, and something to swap to."""
        enabled = self._kernel.read_if_any(f"{PARAMETERS}/enabled")
        if enabled is None:
            why = f"{PARAMETERS} is missing: this kernel was built without CONFIG_ZSWAP"
            return Probe(is_usable=False, why=why)
        if not os.access(self._kernel.path(f"{PARAMETERS}/enabled"), os.W_OK):
            why = f"{PARAMETERS}/enabled is not writable: run as root"
            return Probe(is_usable=False, why=why)
        if not read_swaps(self._kernel):
            why = "zswap needs a swap device behind it and the host has none: add swap"
            return Probe(is_usable=False, why=why)
        return Probe(is_usable=True, why=f"zswap is {'on' if enabled == 'Y' else 'there and off'}")

    def read(self) -> Saving:
        """Read what lies in the pool and what went in and out."""
        meminfo = self._kernel.read_if_any("/proc/meminfo") or ""
        counts = read_vmstat(self._kernel)
        return Saving(
            taken_bytes=parse_kilobytes(meminfo, name="Zswapped"),
            held_bytes=parse_kilobytes(meminfo, name="Zswap"),
            in_bytes=bytes_of(counts, "zswpin"),
            out_bytes=bytes_of(counts, "zswpout"),
            cpu_s=read_cpu_s(self._kernel, "kswapd"),
        )

    def apply(self, state: ZswapState) -> None:
        """Compress into a pool of at most the given share of RAM.

        Raises:
            TechniqueError: the kernel lacks the compressor, or refused.
        """
        percent = round(state.pool_ratio_max * 100)
        if not 1 <= percent <= 50:
            raise TechniqueError(
                f"zswap's pool may take 1 % to 50 % of RAM, not {state.pool_ratio_max:.0%}"
            )
        if state.compressor is not None:
            self._changes.set_knob(f"{PARAMETERS}/compressor", state.compressor)
        self._changes.set_knob(f"{PARAMETERS}/max_pool_percent", str(percent))
        shrinker = f"{PARAMETERS}/shrinker_enabled"
        is_on_v1 = self._kernel.read_if_any(V1_LIMIT) is not None
        if self._kernel.read_if_any(shrinker) is not None and not is_on_v1:
            self._changes.set_knob(shrinker, "Y")
        self._changes.set_knob(f"{PARAMETERS}/enabled", "Y")

    def restore(self) -> list[str]:
        """Set every knob back; what lies in the pool stays there until it is read."""
        return self._changes.undo()
