"""An asyncio loop that does not wait: where others sleep, it moves its clock.

Timers fire in order and at once, so an hour of control passes in seconds, and twice the same. All
peers must live on this loop: a thread or a subprocess knows nothing of virtual time.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

WALL_START_S = 1_800_000_000.0
"""Where simulated wall clocks start (January 2027): fixed, so that runs repeat."""


class SimulationDeadlockError(RuntimeError):
    """Everything waits, and nothing that could end the waiting is pending."""


class _ClockMovingSelector(selectors.DefaultSelector):
    """Instead of sleeping until the next timer, calls ``pass_time`` with the seconds to it."""

    pass_time: Callable[[float], None]
    sleep_s: Callable[[float], float]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return self._wait_for_others()
        real_s = self.sleep_s(timeout)
        ready = super().select(real_s)
        if not ready:
            self.pass_time(timeout)
        return ready

    def _wait_for_others(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            raise SimulationDeadlockError("no timer and no I/O is pending: nothing can ever happen")
        return ready


class SimLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, for ``asyncio.Runner(loop_factory=SimLoop)``.

    Args:
        pace: virtual seconds for each real second, so that a person can watch; None: as fast as
            the machine can. At a pace, time that computing takes is made up for, not added.
    """

    def __init__(self, pace: float | None = None) -> None:
        assert pace is None or pace > 0
        selector = _ClockMovingSelector()
        selector.pass_time = self._pass_time
        selector.sleep_s = self._sleep_s
        self._virtual_s = 0.0
        self._pace = pace
        self._started_real_s = time.monotonic()
        super().__init__(selector)

    def keep_pace(self, pace: float) -> None:
        """From now on pass so many virtual seconds for each real one."""
        assert pace > 0
        self._pace = pace
        self._started_real_s = time.monotonic() - self._virtual_s / pace

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def _pass_time(self, duration_s: float) -> None:
        self._virtual_s += max(0.0, duration_s)

    def _sleep_s(self, duration_s: float) -> float:
        """Real seconds to sleep before ``duration_s`` from now has come."""
        if self._pace is None or duration_s <= 0:
            return 0.0
        due_real_s = self._started_real_s + (self._virtual_s + duration_s) / self._pace
        return max(0.0, due_real_s - time.monotonic())


class SimClock:
    """The port ``Clock`` on a loop's time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, wall_start_s: float = WALL_START_S
    ) -> None:
        self._loop = loop
        self._wall_start_s = wall_start_s

    def now_s(self) -> float:
        """Monotonic seconds of the loop."""
        return self._loop.time()

    def wall_s(self) -> float:
        """Unix seconds, as simulated."""
        return self._wall_start_s + self._loop.time()

    def jump_wall(self, jump_s: float) -> None:
        """Set the wall clock forward or back, as an operator or a time server might."""
        self._wall_start_s += jump_s


def run_simulated(main: Coroutine[Any, Any, ResultT], *, pace: float | None = None) -> ResultT:
    """Run a coroutine on virtual time and return what it returns."""
    with asyncio.Runner(loop_factory=partial(SimLoop, pace)) as runner:
        return runner.run(main)
