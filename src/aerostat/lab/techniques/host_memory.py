"""What the guests together really cost the host: one measure for every arm."""

from dataclasses import dataclass

from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.page_out import largest_private_range
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.zram import Zram
from aerostat.lab.machine.cgroup import MemoryGroup
from aerostat.units import KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHeld:
    """Bytes that the guests cost: charged to their cgroup, and in compressed pools beside it."""

    charged_bytes: int
    pool_bytes: int

    @property
    def total_bytes(self) -> int:
        """Both."""
        return self.charged_bytes + self.pool_bytes


class HostMeasure:
    """Reads it. Pools are the whole machine's: what they hold before is not the guests'."""

    def __init__(self, group: MemoryGroup, kernel: Kernel, log: UndoLog) -> None:
        self._group = group
        self._kernel = kernel
        self._zram = Zram(kernel, log)
        self._before_bytes = 0
        self._before_bytes = self._pools()

    def read(self) -> HostHeld:
        """Read now."""
        return HostHeld(charged_bytes=self._group.usage_bytes() or 0, pool_bytes=self._pools())

    def _pools(self) -> int:
        zram = self._zram.read().held_bytes or 0
        if self._group.version == 2:
            return max(0, zram - self._before_bytes)  # zswap's pool is charged to the cgroup there
        meminfo = self._kernel.read_if_any("/proc/meminfo") or ""
        zswap = parse_kilobytes(meminfo, name="Zswap") or 0
        return max(0, zswap + zram - self._before_bytes)


def own_bytes(kernel: Kernel, pid: int) -> int:
    """What a VM's process holds beside its guest's RAM: its code's data, translations, buffers."""
    ram = largest_private_range(kernel.read_if_any(f"/proc/{pid}/maps") or "")
    total = parse_kilobytes(kernel.read(f"/proc/{pid}/smaps_rollup"), name="Pss_Anon") or 0
    return max(0, total - (_rss_of(kernel, pid, ram.first) if ram is not None else 0))


def _rss_of(kernel: Kernel, pid: int, first: int) -> int:
    inside = False
    for line in kernel.read(f"/proc/{pid}/smaps").splitlines():
        head = line.split(maxsplit=1)[0]
        if "-" in head and head.split("-")[0].isalnum() and not head.endswith(":"):
            inside = head.startswith(f"{first:x}-")
        elif inside and line.startswith("Rss:"):
            return int(line.split()[1]) * KIB
    return 0
