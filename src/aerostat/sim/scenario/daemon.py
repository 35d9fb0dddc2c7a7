"""The daemon of a scenario: the real loop, which may start, stop, be killed and start again."""

import asyncio
from contextlib import suppress

from aerostat.control.loop import Loop
from aerostat.engine.params import EngineParams
from aerostat.model.events import Event
from aerostat.model.modes import Mode, OnStop
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.scenario.happening import DaemonDeed
from aerostat.sim.scenario.recording import Recording
from aerostat.sim.scenario.watched import RecordedRounds, WatchedDriver
from aerostat.sim.virtual_time import SimClock
from aerostat.sim.world import World

_STOP_DEADLINE_S = 5.0


class Daemon:
    """At most one loop at a time; each start begins with an empty memory, as a process would."""

    def __init__(
        self, world: World, clock: SimClock, params: EngineParams, recording: Recording
    ) -> None:
        self._world = world
        self._clock = clock
        self._params = params
        self._recording = recording
        self._driver: WatchedDriver | None = None
        self._loop: Loop | None = None
        self._task: asyncio.Task[None] | None = None
        self._on_stop = OnStop.LEAVE

    async def do(self, deed: DaemonDeed, tasks: asyncio.TaskGroup) -> None:
        """Start, stop or kill it."""
        match deed:
            case DaemonDeed.START:
                self._start(tasks)
            case DaemonDeed.KILL:
                await self.kill()
            case DaemonDeed.STOP:
                await self._stop()
            case DaemonDeed.RELEASE:
                # What a loop does on its end is said at its start, as in a configuration.
                await self.kill()
                self._start(tasks, OnStop.RELEASE)
                await asyncio.sleep(self._params.round_s)
                await self._stop()

    async def kill(self) -> None:
        """End it without a word: nothing is undone."""
        if self._task is None:
            return
        self._note_failures()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = self._loop = self._driver = None

    def announce(self, event: Event) -> None:
        """Tell it of something, if it is there."""
        if self._driver is not None:
            self._driver.announce(event)

    def _start(self, tasks: asyncio.TaskGroup, on_stop: OnStop = OnStop.LEAVE) -> None:
        assert self._task is None, "one daemon at a time"
        self._driver = WatchedDriver(self._world, self._recording)
        self._loop = Loop(
            driver=self._driver,
            sensor=SimulatedSensor(self._world.host),
            clock=self._clock,
            params=self._params,
            mode=Mode.ENFORCE,
            journal=RecordedRounds(self._recording),
        )
        self._task = tasks.create_task(self._loop.run(on_stop))

    async def _stop(self) -> None:
        if self._task is None or self._loop is None:
            return
        self._note_failures()
        self._loop.request_stop()
        async with asyncio.timeout(_STOP_DEADLINE_S):
            await self._task
        self._task = self._loop = self._driver = None

    def _note_failures(self) -> None:
        assert self._loop is not None
        status = self._loop.board.status
        if status.failures:
            self._recording.failures.append(f"{status.failures} rounds failed: {status.failure}")
