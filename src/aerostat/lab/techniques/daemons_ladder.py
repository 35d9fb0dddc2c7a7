"""The daemon's own loop with its ladder, in the place of the loop that serves the other arms.

What an arm's ladder switched on and learned ends with the arm: the loop is a new one every time.
"""

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

from aerostat.engine.params import EngineParams
from aerostat.host.techniques.managed import ManagedTechniques, TechniqueSettings
from aerostat.lab.experiment.arm import ArmRunner
from aerostat.lab.experiment.controller import ThreadController
from aerostat.lab.experiment.real_fleet import RealFleet
from aerostat.lab.techniques.host_state import KSM_PACE, HostTechniques
from aerostat.model.limits import Amount


class ReclaimThread:
    """Where the ladder's takes are carried out: whoever reclaims spends the processor time."""

    def __init__(self, join: Callable[[], None]) -> None:
        """Use a thread that calls ``join`` first, to be throttled like the guests."""
        self._join = join
        self._ident: int | None = None
        self._at_end_s = 0.0
        self.pool = ThreadPoolExecutor(1, "ladder", self._begin)

    def cpu_s(self) -> float:
        """Spent so far."""
        if self._ident is None:
            return self._at_end_s
        return time.clock_gettime(time.pthread_getcpuclockid(self._ident))

    def close(self) -> None:
        """Let the thread end, after what it is doing."""
        self._at_end_s = self.cpu_s()
        self._ident = None
        self.pool.shutdown()

    def _begin(self) -> None:
        self._join()
        self._ident = threading.get_ident()


@contextlib.asynccontextmanager
async def ladder_in_charge(
    runner: ArmRunner,
    fleet: RealFleet,
    params: EngineParams,
    host: HostTechniques,
    thread: ReclaimThread,
) -> AsyncIterator[ThreadController]:
    """Let a loop with the host's techniques balance inside the block, begun with ``params``.

    Whatever it switches on is in the host's undo log, for the host's user to put back.
    """
    settings = TechniqueSettings(
        swap_file=host.swap_file,
        pool=Amount(size_bytes=host.pool_bytes),
        merge_rate=KSM_PACE.bytes_per_s,
    )
    techniques = ManagedTechniques(host.kernel, host.log, settings, thread.pool)
    before = runner.controller
    loop = ThreadController(fleet, params, techniques)
    await loop.start()
    runner.controller = loop
    try:
        yield loop
    finally:
        runner.controller = before
        await loop.stop()
