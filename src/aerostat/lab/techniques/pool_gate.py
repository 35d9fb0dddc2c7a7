"""Holds zswap's pool to what it may have on a host of the budget's size.

The kernel's own limit is in whole percent of the machine's RAM: of 24 GiB that is 240 MiB at least,
a third of what all guests of an arm may cost. So the lab does what the kernel does at its limit: a
pool that is full takes nothing in, what is paged out goes to the disk, until it is down to 90 %
(``accept_threshold_percent``). Kernel documentation: Documentation/admin-guide/mm/zswap.rst.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aerostat.host.process_memory import parse_kilobytes
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.zswap import PARAMETERS
from aerostat.lab.techniques.keeping import going_on

PERIOD_S = 0.1
ACCEPT_RATIO = 0.9
_ENABLED = f"{PARAMETERS}/enabled"


class PoolGate:
    """Open while the pool has room. Only an arm's own zswap is ever shut, never one that is off."""

    def __init__(self, kernel: Kernel, pool_bytes_max: int) -> None:
        self._kernel = kernel
        self._most_bytes = pool_bytes_max
        self._is_shut = False

    def turn(self) -> None:
        """Look at the pool, and shut or open.

        Raises:
            TechniqueError: the kernel refused.
        """
        meminfo = self._kernel.read_if_any("/proc/meminfo") or ""
        pool_bytes = parse_kilobytes(meminfo, name="Zswap") or 0
        if self._is_shut and pool_bytes < ACCEPT_RATIO * self._most_bytes:
            self.open()
        elif pool_bytes > self._most_bytes and self._kernel.read_if_any(_ENABLED) == "Y":
            self._kernel.write(_ENABLED, "N")
            self._is_shut = True

    def open(self) -> None:
        """Let it take in again, where it was shut by us.

        Raises:
            TechniqueError: the kernel refused.
        """
        if self._is_shut:
            self._kernel.write(_ENABLED, "Y")
            self._is_shut = False


@contextlib.asynccontextmanager
async def pool_held(kernel: Kernel, pool_bytes_max: int) -> AsyncIterator[None]:
    """Hold the pool to so many bytes inside the block; what zswap is set to is as before after it.

    Raises:
        TechniqueError: the kernel refused.
    """
    gate = PoolGate(kernel, pool_bytes_max)
    try:
        async with going_on(_keep(gate)):
            yield
    finally:
        gate.open()


async def _keep(gate: PoolGate) -> None:
    while True:
        gate.turn()
        await asyncio.sleep(PERIOD_S)
