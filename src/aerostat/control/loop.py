"""The loop: collect, step, apply, again and again; it re-arms on every path."""

import asyncio
from dataclasses import replace

from aerostat.control.apply import Applier
from aerostat.control.board import Board
from aerostat.control.collect import Collector
from aerostat.control.inbox import Inbox
from aerostat.engine.params import EngineParams
from aerostat.engine.release import release_plan
from aerostat.engine.state import EngineState
from aerostat.engine.step import step
from aerostat.model.events import Event
from aerostat.model.host import HostSnapshot
from aerostat.model.modes import Mode, OnStop
from aerostat.model.plan import Plan
from aerostat.ports.clock import Clock
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.journal import Journal, RoundRecord
from aerostat.ports.sensor import HostSensor

ROUND_GAP_S_MIN = 0.05
"""Urgent events may start a round early, but a storm of them never makes the loop spin."""
FAILURES_BEFORE_RELEASE = 3
"""So many failed rounds in a row, and guests get back what the host can spare: fail open."""


class Loop:
    """Keeps one host balanced until it is asked to stop."""

    def __init__(
        self,
        *,
        driver: HypervisorDriver,
        sensor: HostSensor,
        clock: Clock,
        params: EngineParams,
        mode: Mode,
        journal: Journal,
    ) -> None:
        self._clock = clock
        self._params = params
        self._mode = mode
        self._journal = journal
        self._driver = driver
        self._inbox = Inbox()
        self._collector = Collector(driver, sensor, clock)
        self._applier = Applier(driver, self._inbox)
        self._state = EngineState()
        self._events: tuple[Event, ...] = ()
        self._is_stopping = False
        self._failures_in_a_row = 0
        self.board = Board()

    def replace_params(self, params: EngineParams) -> None:
        """Use other parameters from the next round on, which starts at once."""
        self._params = params
        self._inbox.wake()

    def request_stop(self) -> None:
        """End after the round under way."""
        self._is_stopping = True
        self._inbox.wake()

    async def run(self, on_stop: OnStop = OnStop.LEAVE) -> None:
        """Balance until asked to stop; then leave targets, or release guests."""
        await self._driver.open(self._inbox.put)
        try:
            async with asyncio.TaskGroup() as tasks:
                while not self._is_stopping:
                    pause_s = await self._round(tasks)
                    await asyncio.sleep(ROUND_GAP_S_MIN)
                    await self._inbox.wait(max(0.0, pause_s - ROUND_GAP_S_MIN))
                if on_stop is OnStop.RELEASE and self._mode is Mode.ENFORCE:
                    await self._release(tasks)
                self._collector.abandon()
                self._applier.abandon()
        finally:
            await self._driver.close()

    async def _round(self, tasks: asyncio.TaskGroup) -> float:
        """Run one round; returns how long to wait for the next."""
        started_s = self._clock.now_s()
        try:
            plan = await self._decide_and_apply(tasks)
        except Exception as error:  # noqa: BLE001 # a round may fail, the loop may not
            await self._failed(error, tasks)
            return self._params.round_s
        self._failures_in_a_row = 0
        took_s = self._clock.now_s() - started_s
        self.board.status = replace(self.board.status, failure=None, round_s=took_s)
        return max(0.0, plan.next_round_s - took_s)

    async def _decide_and_apply(self, tasks: asyncio.TaskGroup) -> Plan:
        snapshot = await self._collector.collect(tasks)
        # Kept until a step has used them: a round that fails must not lose an answer or a reset.
        self._events += self._inbox.drain()
        decided = step(self._state, snapshot, self._events, self._params)
        self._state = decided.state
        events, self._events = self._events, ()
        enforce = self._mode is Mode.ENFORCE
        if enforce:
            await self._applier.apply(decided.plan, tasks)
        record = RoundRecord(
            number=self.board.status.rounds + 1,
            snapshot=snapshot,
            events=events,
            plan=decided.plan,
            trace=decided.trace,
            was_enforced=enforce,
        )
        self.board.status = replace(
            self.board.status,
            last=record,
            rounds=record.number,
            sensor_trouble=self._collector.sensor_trouble,
        )
        self._journal.record(record)
        return decided.plan

    async def _failed(self, error: Exception, tasks: asyncio.TaskGroup) -> None:
        self._failures_in_a_row += 1
        self.board.status = replace(
            self.board.status,
            failures=self.board.status.failures + 1,
            failure=f"{type(error).__name__}: {error}",
        )
        if self._failures_in_a_row >= FAILURES_BEFORE_RELEASE and self._mode is Mode.ENFORCE:
            await self._release(tasks)

    async def _release(self, tasks: asyncio.TaskGroup) -> None:
        """Give guests their max back as far as the host has it; one try, never raises."""
        try:
            snapshot: HostSnapshot = await self._collector.collect(tasks)
            await self._applier.apply(release_plan(self._state, snapshot, self._params), tasks)
        except Exception as error:  # noqa: BLE001 # the goodbye must not keep the loop from ending
            self.board.status = replace(
                self.board.status, failure=f"release failed: {type(error).__name__}: {error}"
            )
