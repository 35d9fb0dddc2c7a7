"""Switches the host's techniques on for an arm, and the host back to what it was."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from aerostat.host.meminfo import parse_meminfo
from aerostat.host.techniques.changes import undo
from aerostat.host.techniques.host_swap import HostSwap, SwapState
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.ksm import Ksm, KsmState
from aerostat.host.techniques.technique import Probe, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.zram import Zram, ZramState
from aerostat.host.techniques.zswap import Zswap, ZswapState
from aerostat.lab.image.cache import cache_directory
from aerostat.lab.techniques.arms import Host, TechniqueArm
from aerostat.lab.techniques.budget import FLOOR_RATIO
from aerostat.units import PAGE_BYTES

KSM_PACE = KsmState(pages_to_scan=5000, sleep_ms=20)
"""Fast: an arm lasts a minute, and the default would not get once through the guests in it."""
POOL_RATIO = 0.2
"""Of the budget, not of the machine's RAM: zswap's own default on a host of the budget's size."""
ZRAM_RATIO = 1 - FLOOR_RATIO
"""Of the budget, that a zram device may hold: with the lowest limit beside it, all of it."""
ZRAM_GAIN = 1 / 0.6
"""So many times its memory it takes in: half of each page compresses to nearly nothing. What it has
no room for goes to the file."""
_POOL_RATIO_MIN = 0.01
"""The kernel takes whole percent of RAM: with 24 GiB that is 240 MiB at least."""


class HostTechniques:
    """The techniques of this host, for the arms of one experiment."""

    def __init__(self, directory: Path, swap_bytes: int, budget_bytes: int) -> None:
        """Use swap of ``swap_bytes`` in ``directory``, on a host taken to have ``budget_bytes``."""
        self.kernel = Kernel()
        self._budget_bytes = budget_bytes
        self.pool_bytes = int(POOL_RATIO * budget_bytes)
        self.log = lab_undo_log(self.kernel)
        self.swap_file = directory / "host.swap"
        self._swap_bytes = swap_bytes
        self._swap = HostSwap(self.kernel, self.log)
        self._zswap = Zswap(self.kernel, self.log)
        self._zram = Zram(self.kernel, self.log)
        self._ksm = Ksm(self.kernel, self.log)

    def why_not(self, arm: TechniqueArm) -> str | None:
        """Why an arm cannot run here; None: it can."""
        probes: dict[Host, Probe] = {Host.KSM: self._ksm.probe(), Host.ZRAM: self._zram.probe()}
        for technique in sorted(arm.host & probes.keys()):
            if not probes[technique].is_usable:
                return probes[technique].why
        return None

    @contextlib.contextmanager
    def on(self, arm: TechniqueArm) -> Iterator[None]:
        """Switch the arm's techniques on inside the block.

        Raises:
            TechniqueError: one could not be switched on, or not back.
        """
        with self.log.held():
            try:
                self._apply(arm)
                yield
            finally:
                remarks = restore_all(self.kernel, self.log)
            if remarks:
                raise TechniqueError("the host is not as it was: " + "; ".join(remarks))

    def _pool_ratio(self) -> float:
        ram_bytes = parse_meminfo(self.kernel.read("/proc/meminfo")).total_bytes
        return min(0.5, max(_POOL_RATIO_MIN, self.pool_bytes / ram_bytes))

    def _apply(self, arm: TechniqueArm) -> None:
        if Host.SWAP in arm.host:
            self._swap.apply(SwapState(path=self.swap_file, size_bytes=self._swap_bytes))
        if Host.ZSWAP in arm.host:
            self._zswap.apply(ZswapState(pool_ratio_max=self._pool_ratio()))
        if Host.ZRAM in arm.host:
            memory = int(ZRAM_RATIO * self._budget_bytes)
            size = int(ZRAM_GAIN * memory) // PAGE_BYTES * PAGE_BYTES
            self._zram.apply(ZramState(size_bytes=size, memory_bytes_max=memory))
        if Host.KSM in arm.host:
            self._ksm.apply(KSM_PACE)


def lab_undo_log(kernel: Kernel) -> UndoLog:
    """Where the lab keeps what to put back; ``aerostat lab clean`` looks there too."""
    return UndoLog(cache_directory() / "host-undo.json", kernel)


def restore_all(kernel: Kernel, log: UndoLog) -> list[str]:
    """Put back all that is pending; in words what could not be."""
    return log.undo(None, lambda change: undo(change, kernel))
