"""Runs the daemon's own loop beside an experiment: in a thread, or on the same virtual time."""

import asyncio
import threading
import time
from collections import deque
from typing import Protocol

from aerostat.control.board import Status
from aerostat.control.loop import Loop
from aerostat.engine.explain import explain
from aerostat.engine.params import EngineParams
from aerostat.lab.experiment.fleet import Fleet
from aerostat.model.modes import Mode
from aerostat.model.plan import GuestTrace
from aerostat.ports.journal import RoundRecord
from aerostat.ports.techniques import HostTechniques

_START_S = 10.0
_STOP_S = 15.0


class Spoken:
    """A journal that keeps the last changes in words, with the clock's time."""

    def __init__(self) -> None:
        self.changes: deque[tuple[float, str, str]] = deque(maxlen=5000)

    def record(self, record: RoundRecord) -> None:
        """Keep what this round changed."""
        traces: dict[str, GuestTrace] = {trace.guest: trace for trace in record.trace.guests}
        for change in record.plan.changes:
            trace = traces[change.guest]
            self.changes.append((record.trace.now_s, trace.name, explain(trace)))


class Controller(Protocol):
    """A running loop whose parameters an experiment exchanges from arm to arm."""

    @property
    def status(self) -> Status:
        """The loop's newest status."""
        ...

    @property
    def spoken(self) -> Spoken:
        """Its decisions in words."""
        ...

    async def start(self) -> None:
        """Start balancing."""
        ...

    def replace_params(self, params: EngineParams) -> None:
        """Use these from the next round on."""
        ...

    def cpu_s(self) -> float | None:
        """CPU time the loop has used; None where it cannot be told from the rest."""
        ...

    async def stop(self) -> None:
        """Stop balancing, leaving targets as they are."""
        ...


def _loop(
    fleet: Fleet, params: EngineParams, spoken: Spoken, techniques: HostTechniques | None = None
) -> Loop:
    return Loop(
        driver=fleet.new_driver(),
        sensor=fleet.sensor,
        clock=fleet.clock,
        params=params,
        mode=Mode.ENFORCE,
        journal=spoken,
        techniques=techniques,
    )


class ThreadController:
    """The loop in a thread with an event loop of its own, so that its CPU time can be told."""

    def __init__(
        self, fleet: Fleet, params: EngineParams, techniques: HostTechniques | None = None
    ) -> None:
        self._fleet = fleet
        self._params = params
        self._techniques = techniques
        self._spoken = Spoken()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aerostat-loop", daemon=True)
        self._events: asyncio.AbstractEventLoop | None = None
        self._balancer: Loop | None = None
        self._failure: BaseException | None = None

    @property
    def status(self) -> Status:
        """The loop's newest status."""
        return Status() if self._balancer is None else self._balancer.board.status

    @property
    def spoken(self) -> Spoken:
        """Its decisions in words."""
        return self._spoken

    async def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: the loop ended at once.
        """
        self._thread.start()
        await asyncio.to_thread(self._started.wait, _START_S)
        if self._failure is not None:
            raise RuntimeError("the balancing loop could not start") from self._failure

    def replace_params(self, params: EngineParams) -> None:
        """Use these from the next round on."""
        assert self._events is not None
        assert self._balancer is not None
        self._events.call_soon_threadsafe(self._balancer.replace_params, params)

    def cpu_s(self) -> float | None:
        """CPU time of the thread."""
        if self._thread.ident is None or not self._thread.is_alive():
            return None
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident))

    async def stop(self) -> None:
        """Stop the loop and wait for its thread."""
        if self._events is not None and self._balancer is not None and self._thread.is_alive():
            self._events.call_soon_threadsafe(self._balancer.request_stop)
        await asyncio.to_thread(self._thread.join, _STOP_S)
        if self._failure is not None:
            raise RuntimeError("the balancing loop ended by itself") from self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 # handed to whoever stops or starts us
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._events = asyncio.get_running_loop()
        self._balancer = _loop(self._fleet, self._params, self._spoken, self._techniques)
        self._started.set()
        await self._balancer.run()


class TaskController:
    """The loop as a task on the caller's own event loop: for simulated guests on virtual time."""

    def __init__(self, fleet: Fleet, params: EngineParams) -> None:
        self._spoken = Spoken()
        self._balancer = _loop(fleet, params, self._spoken)
        self._tasks = asyncio.TaskGroup()

    @property
    def status(self) -> Status:
        """The loop's newest status."""
        return self._balancer.board.status

    @property
    def spoken(self) -> Spoken:
        """Its decisions in words."""
        return self._spoken

    async def start(self) -> None:
        """Start the task."""
        await self._tasks.__aenter__()
        self._tasks.create_task(self._balancer.run())

    def replace_params(self, params: EngineParams) -> None:
        """Use these from the next round on."""
        self._balancer.replace_params(params)

    def cpu_s(self) -> float | None:
        """Not known: the loop shares its thread with the guests it balances."""
        return None

    async def stop(self) -> None:
        """Stop the loop and wait for its end."""
        self._balancer.request_stop()
        await self._tasks.__aexit__(None, None, None)
