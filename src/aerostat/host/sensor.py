"""The host sensor on Linux: a few small files of /proc, a fraction of a millisecond."""

import resource
from pathlib import Path

from aerostat.host import meminfo, pressure, vmstat
from aerostat.host.proc_text import parse_count, read_text, read_text_if_any
from aerostat.model.host import HostMemory


class ProcHostSensor:
    """Reads the whole machine's memory below ``root``; the port ``HostSensor``.

    A daemon in a container sees the machine, not the container's own limit: /proc/meminfo knows
    nothing of cgroups. Guests are limited by the machine, so that is what a balance needs; whoever
    confines the guests themselves declares a budget.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._meminfo = root / meminfo.PATH
        self._pressure = root / pressure.PATH
        self._vmstat = root / vmstat.PATH
        self._merged = root / "sys/kernel/mm/ksm/pages_sharing"

    def read(self) -> HostMemory:
        """Read now.

        Raises:
            SensorError: /proc/meminfo is missing or lacks a figure. Pressure and swap traffic,
                which a kernel may lack, are absent instead.
        """
        memory = meminfo.parse_meminfo(read_text(self._meminfo))
        traffic = vmstat.parse_vmstat(read_text_if_any(self._vmstat) or "")
        stalls = pressure.parse_pressure(read_text_if_any(self._pressure) or "")
        return HostMemory(
            total_bytes=memory.total_bytes,
            available_bytes=memory.available_bytes,
            free_bytes=memory.free_bytes,
            cache_bytes=memory.cache_bytes,
            swap_total_bytes=memory.swap_total_bytes,
            swap_free_bytes=memory.swap_free_bytes,
            swap_in_bytes=traffic.in_bytes,
            swap_out_bytes=traffic.out_bytes,
            revocable_bytes=self._merged_bytes(),
            pressure_some_total_s=stalls.some_total_s,
            pressure_full_total_s=stalls.full_total_s,
        )

    def _merged_bytes(self) -> int | None:
        """What merging saves: each page that shares another's copy gets its own when written."""
        pages = parse_count(read_text_if_any(self._merged) or "")
        return pages * resource.getpagesize() if pages else None
