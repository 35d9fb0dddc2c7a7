"""Holds the guests of an arm to the budget by a limit on their cgroup, pools counted in.

On cgroup v1 compressed pools are not charged to it: what they take has to come off the limit. That
is done in small steps with a floor below which it does not go: a page that is swapped out saves
only what it compresses by, and a limit that follows the pool at once runs away from the working
set until the kernel kills a VM (seen in a prototype).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from aerostat.lab.machine.cgroup import MemoryGroup
from aerostat.lab.techniques.host_memory import HostHeld
from aerostat.lab.techniques.keeping import going_on
from aerostat.units import MIB


class Measure(Protocol):
    """Tells what the guests cost."""

    def read(self) -> HostHeld:
        """Read now."""
        ...


PERIOD_S = 0.25
STEP_BYTES = 12 * MIB
FLOOR_RATIO = 0.6
"""Of the budget: the limit never goes below."""
POOL_AIM_RATIO = 0.97
"""Of the budget: pools grow faster than the limit follows, so who has one begins below and aims
there."""
_UNLIMITED = {1: "-1", 2: "max"}


class LimitWriter:
    """Writes limits in a thread of its own: the kernel reclaims in whoever lowers one."""

    def __init__(self, group: MemoryGroup, join: Callable[[], None] | None = None) -> None:
        """Use ``group``; the thread calls ``join`` first, to be throttled like the guests."""
        self._group = group
        self._thread = ThreadPoolExecutor(1, "limit", join or (lambda: None))
        self.cpu_s = 0.0  # spent in reclaim so far

    async def write(self, text: str) -> None:
        """Set the limit; returns when the kernel has reclaimed what it could."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, text)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False)

    def _write(self, text: str) -> None:
        began_s = time.thread_time()
        name = "memory.limit_in_bytes" if self._group.version == 1 else "memory.high"
        # EBUSY: it could not be brought so low just now; the next turn tries again.
        with contextlib.suppress(OSError):
            Path(self._group.path / name).write_text(text)
        self.cpu_s += time.thread_time() - began_s


@contextlib.asynccontextmanager
async def held_to(
    budget_bytes: int,
    group: MemoryGroup,
    measure: Measure,
    writer: LimitWriter,
    *,
    has_pool: bool = False,
) -> AsyncIterator[None]:
    """Hold the guests to the budget inside the block; afterwards there is no limit."""
    if has_pool:
        budget_bytes = int(POOL_AIM_RATIO * budget_bytes)
    try:
        async with going_on(_keep(budget_bytes, measure, writer)):
            yield
    finally:
        await writer.write(_UNLIMITED[group.version])


async def _keep(budget_bytes: int, measure: Measure, writer: LimitWriter) -> None:
    limit = max(measure.read().charged_bytes, budget_bytes)
    while True:
        limit = next_limit(limit, budget_bytes, measure.read().pool_bytes)
        await writer.write(str(limit))
        await asyncio.sleep(PERIOD_S)


def next_limit(limit_bytes: int, budget_bytes: int, pool_bytes: int) -> int:
    """The limit of the next turn: down to the budget quickly, below it only by small steps."""
    wanted = max(int(FLOOR_RATIO * budget_bytes), budget_bytes - pool_bytes)
    if wanted > limit_bytes:
        return min(wanted, limit_bytes + STEP_BYTES)
    step = max(STEP_BYTES, (limit_bytes - budget_bytes) // 2)
    return max(wanted, limit_bytes - step)
