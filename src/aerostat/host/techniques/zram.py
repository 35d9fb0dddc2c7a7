"""Compression as swap: a zram device is a swap device in memory, compressed.

Unlike zswap it needs no disk behind it, and what does not compress stays in memory in full.
Kernel documentation: Documentation/admin-guide/blockdev/zram.rst.
"""

import os
from dataclasses import dataclass

from aerostat.host.techniques.changes import Changes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, Saving, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog

CONTROL = "/sys/class/zram-control"
_ORIGINAL, _HELD = 0, 2  # fields of mm_stat: bytes stored, bytes of memory used for them


@dataclass(frozen=True, slots=True, kw_only=True)
class ZramState:
    """A zram device to swap to."""

    size_bytes: int  # of guest memory it takes at most
    memory_bytes_max: int | None = None  # of host memory it may need for that
    compressor: str | None = None  # None: leave the kernel's choice
    priority: int = 100  # above disks


class Zram:
    """The zram devices that this host swaps to."""

    name = "zram"

    def __init__(self, kernel: Kernel, log: UndoLog) -> None:
        self._kernel = kernel
        self._changes = Changes(self.name, kernel, log)

    def probe(self) -> Probe:
        """Look whether the kernel can make a device."""
        if self._kernel.path(CONTROL).is_dir():
            if os.access(self._kernel.path(f"{CONTROL}/hot_add"), os.R_OK):
                return Probe(is_usable=True, why="zram devices can be made")
            return Probe(is_usable=False, why=f"{CONTROL}/hot_add is not readable: run as root")
        why = f"{CONTROL} is missing: load the module ('modprobe zram')"
        return Probe(is_usable=False, why=why)

    def read(self) -> Saving:
        """Read all zram devices that the host swaps to, whoever made them."""
        taken = held = 0
        is_any = False
        for swap in read_swaps(self._kernel):
            if not swap.device.startswith("/dev/zram"):
                continue
            fields = (self._kernel.read_if_any(_block(swap.device, "mm_stat")) or "").split()
            if len(fields) > _HELD:
                is_any = True
                taken += int(fields[_ORIGINAL])
                held += int(fields[_HELD])
        return Saving(taken_bytes=taken, held_bytes=held) if is_any else Saving()

    def apply(self, state: ZramState) -> None:
        """Make a device and swap to it.

        Raises:
            TechniqueError: the kernel refused, or a tool failed.
        """
        if state.size_bytes <= 0:
            raise TechniqueError(f"a zram device needs a size, not {state.size_bytes} bytes")
        device = f"/dev/zram{self._changes.add_zram()}"
        if state.compressor is not None:
            self._kernel.write(_block(device, "comp_algorithm"), state.compressor)
        self._kernel.write(_block(device, "disksize"), str(state.size_bytes))
        if state.memory_bytes_max is not None:
            self._kernel.write(_block(device, "mem_limit"), str(state.memory_bytes_max))
        self._kernel.run(["mkswap", device])
        self._changes.swap_on(device, priority=state.priority)

    def restore(self) -> list[str]:
        """Stop swapping to the device and remove it."""
        return self._changes.undo()


def _block(device: str, name: str) -> str:
    return f"/sys/block/{device.removeprefix('/dev/')}/{name}"
