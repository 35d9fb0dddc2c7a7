"""Overcommit: the host swaps guest memory to a disk, and the guest knows nothing of it."""

from dataclasses import dataclass
from pathlib import Path

from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.kernel_thread import read_cpu_s
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, Saving
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vmstat_counts import bytes_of, read_vmstat


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapState:
    """A file of our own to swap to."""

    path: Path
    size_bytes: int
    priority: int | None = None  # None: below all others


class HostSwap:
    """Swap devices and files of this host, but zram."""

    name = "swap"

    def __init__(self, kernel: Kernel, log: UndoLog) -> None:
        self._kernel = kernel
        self._changes = Changes(self.name, kernel, log)

    def probe(self) -> Probe:
        """Look what the host swaps to."""
        swaps = [s for s in read_swaps(self._kernel) if not s.device.startswith("/dev/zram")]
        if not swaps:
            return Probe(is_usable=False, why="the host has no swap device or file: add one")
        room = sum(s.size_bytes - s.used_bytes for s in swaps)
        names = ", ".join(s.device for s in swaps)
        return Probe(is_usable=room > 0, why=f"{names}: {room >> 20} MiB left")

    def read(self) -> Saving:
        """Read what lies in swap and what went in and out, of all the host's processes."""
        swaps = [s for s in read_swaps(self._kernel) if not s.device.startswith("/dev/zram")]
        counts = read_vmstat(self._kernel)
        return Saving(
            taken_bytes=sum(s.used_bytes for s in swaps),
            held_bytes=0,
            in_bytes=bytes_of(counts, "pswpin"),
            out_bytes=bytes_of(counts, "pswpout"),
            cpu_s=read_cpu_s(self._kernel, "kswapd"),
        )

    def apply(self, state: SwapState) -> None:
        """Make a swap file and swap to it.

        Raises:
            TechniqueError: it exists, there is no room, or the kernel refused.
        """
        self._changes.make_file(state.path, state.size_bytes)
        self._kernel.run(["mkswap", str(state.path)])
        self._changes.swap_on(str(state.path), priority=state.priority)

    def restore(self) -> list[str]:
        """Stop swapping to the file and remove it."""
        return self._changes.undo()
