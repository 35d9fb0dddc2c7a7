"""The loop: collect, step, apply, again and again; it re-arms on every path."""

import asyncio
from dataclasses import replace

from aerostat.control.apply import Applier
from aerostat.control.board import Board
from aerostat.control.collect import Collector
from aerostat.control.inbox import Inbox
from aerostat.control.orders import Ask, OrderBook
from aerostat.control.techniques import TechniqueRunner
from aerostat.engine.admission import admission
from aerostat.engine.params import EngineParams
from aerostat.engine.release import Release, release
from aerostat.engine.state import EngineState, aligned, with_events
from aerostat.engine.step import Step, step
from aerostat.model.admission import Admission
from aerostat.model.events import (
    Command,
    Event,
    MemoryReserved,
    OperatorCommanded,
    Outcome,
    PressurePushed,
    TargetAnswered,
)
from aerostat.model.host import HostSnapshot
from aerostat.model.modes import Mode, OnStop
from aerostat.model.plan import Plan, RoundTrace
from aerostat.model.reasons import Reason
from aerostat.ports.clock import Clock
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.journal import Journal, RoundRecord
from aerostat.ports.sensor import HostSensor
from aerostat.ports.techniques import HostTechniques

ROUND_GAP_S_MIN = 0.05
"""Urgent events may start a round early, but a storm of them never makes the loop spin."""
FAILURES_BEFORE_RELEASE = 3
"""So many failed rounds in a row, and guests get back what the host can spare: fail open."""
ARRIVAL_S = 0.5
"""So long after a release balloons are watched, to tell what came of it; 1 GiB takes as long."""
ARRIVAL_LOOK_S = 0.1


class Loop:
    """Keeps one host balanced until it is asked to stop."""

    def __init__(  # noqa: PLR0913 # its parts, each by its name
        self,
        *,
        driver: HypervisorDriver,
        sensor: HostSensor,
        clock: Clock,
        params: EngineParams,
        mode: Mode,
        journal: Journal,
        techniques: HostTechniques | None = None,
    ) -> None:
        self._clock = clock
        self._declared = params  # the configuration's word, without orders
        self._params = params
        self._mode = mode
        self._journal = journal
        self._driver = driver
        self._inbox = Inbox()
        self._collector = Collector(driver, sensor, clock)
        self._applier = Applier(driver, self._inbox)
        self._runner = None if techniques is None else TechniqueRunner(techniques, self._inbox)
        self._state = EngineState()
        self._newest: RoundTrace | None = None  # of the round that led to this state
        self._is_stopping = False
        self._is_hasty = False  # the last round did not ask guests
        self._failures_in_a_row = 0
        self.board = Board()
        self._use_orders(OrderBook())

    def replace_params(self, params: EngineParams) -> None:
        """Use other parameters from the next round on, which starts at once; orders stand."""
        self._declared = params
        self._use_orders(self.board.status.orders)
        self._inbox.wake()

    def replace_mode(self, mode: Mode) -> None:
        """Go further, or less far, from the next round on."""
        self._mode = mode
        self._inbox.wake()

    def take(self, ask: Ask) -> Admission | None:
        """Do what an operator says from the next round on, which starts at once; it is kept.

        Returns:
            Whether a VM may come, where that was asked: if so, its memory is promised to it.
        """
        answer = self._admission(ask) if ask.command is Command.ADMIT else None
        if ask.command is Command.RECLAIM or (answer is not None and answer.is_admitted):
            self._inbox.put(
                MemoryReserved(guest=ask.guest, size_bytes=ask.size_bytes, for_s=ask.for_s or 0.0)
            )
        self._use_orders(self.board.status.orders.after(ask, now_s=self._clock.now_s()))
        self._inbox.put(
            OperatorCommanded(
                guest=ask.guest,
                command=ask.command,
                who=ask.who,
                detail=ask.words if answer is None else f"{ask.words}: {answer.verdict.value}",
            )
        )
        return answer

    def _admission(self, ask: Ask) -> Admission:
        return admission(
            self._state,
            self._newest,
            self._inbox.waiting(),
            owner=ask.guest,
            size_bytes=ask.size_bytes,
        )

    def restore_orders(self, book: OrderBook) -> None:
        """Begin with what a daemon before us was told."""
        self._use_orders(book)

    def _use_orders(self, book: OrderBook) -> None:
        self._params = replace(self._declared, orders=book.orders())
        self.board.show(orders=book, params=self._params)

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
                    if not self._is_stopping:
                        await asyncio.sleep(ROUND_GAP_S_MIN)
                        await self._inbox.wait(max(0.0, pause_s - ROUND_GAP_S_MIN))
                if self._runner is not None:
                    await self._runner.finish()
                if on_stop is OnStop.RELEASE and self._mode is Mode.ENFORCE:
                    await self._release(tasks, Reason.RELEASED_ON_STOP)
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
        self.board.show(failure=None, round_s=took_s, events_dropped=self._inbox.dropped)
        return max(0.0, plan.next_round_s - took_s)

    async def _decide_and_apply(self, tasks: asyncio.TaskGroup) -> Plan:
        # Never two in a row: else a guest that pushes all the time would keep all from being read.
        waiting = self._inbox.waiting()
        has_push = any(isinstance(event, PressurePushed) for event in waiting)
        self._is_hasty = has_push and not self._is_hasty
        snapshot = await self._collector.collect(tasks, haste=waiting if self._is_hasty else ())
        events = self._inbox.drain()
        standing = self.board.status.orders.at(snapshot.now_s)
        if standing is not self.board.status.orders:
            self._use_orders(standing)
        before, params = self._state, self._params
        decided = self._decide(snapshot, events)
        for found in decided.found:
            self._inbox.put(found)
        enforce = self._mode is Mode.ENFORCE
        if enforce:
            await self._applier.apply(decided.plan, tasks)
            if self._runner is not None:
                self._runner.carry_out(decided.orders, tasks)
        self._remember(
            RoundRecord(
                number=self.board.status.rounds + 1,
                snapshot=snapshot,
                events=events,
                plan=decided.plan,
                trace=decided.trace,
                was_enforced=enforce,
                state=before,
                params=params,
            )
        )
        return decided.plan

    def _decide(self, snapshot: HostSnapshot, events: tuple[Event, ...]) -> Step:
        try:
            decided = step(self._state, snapshot, events, self._params)
        except Exception:
            self._inbox.put_back(events)  # a round that fails must not lose an answer or a reset
            raise
        self._state, self._newest = decided.state, decided.trace
        return decided

    def _remember(self, record: RoundRecord) -> None:
        trouble = None
        try:
            self._journal.record(record)
        except Exception as error:  # noqa: BLE001 # a journal that fails never stops the loop
            trouble = f"{type(error).__name__}: {error}"
        self.board.show(
            last=record,
            rounds=record.number,
            sensor_trouble=self._collector.sensor_trouble,
            journal_trouble=trouble,
        )

    async def _failed(self, error: Exception, tasks: asyncio.TaskGroup) -> None:
        self._failures_in_a_row += 1
        self.board.show(
            failures=self.board.status.failures + 1,
            failure=f"{type(error).__name__}: {error}",
        )
        if self._failures_in_a_row >= FAILURES_BEFORE_RELEASE and self._mode is Mode.ENFORCE:
            await self._release(tasks, Reason.RELEASED_ON_FAILURES)
            # Whatever in the state or among the events makes rounds fail: begin afresh, from what
            # the guests hold now.
            self._state, self._newest = EngineState(), None
            self._inbox.drain()

    async def _release(self, tasks: asyncio.TaskGroup, reason: Reason) -> None:
        """Give guests their max back as far as the host has it; one try, never raises."""
        try:
            await self._applier.settle()
            snapshot = await self._collector.collect(tasks, is_patient=True)
            state = self._state_with_answers(snapshot.now_s)
            letting_go = release(state, snapshot, self._params, reason)
            if letting_go.plan.changes:
                await self._carry_out(letting_go, reason, tasks)
        except Exception as error:  # noqa: BLE001 # the goodbye must not keep the loop from ending
            self.board.show(failure=f"release failed: {type(error).__name__}: {error}")

    async def _carry_out(
        self, letting_go: Release, reason: Reason, tasks: asyncio.TaskGroup
    ) -> None:
        """Send a release, remember it like any round, and look what came of it."""
        before = len(self._inbox.waiting())
        await self._applier.apply(letting_go.plan, tasks)
        state = self._state_with_answers(letting_go.snapshot.now_s)
        events = self._inbox.drain()
        answers = tuple(e for e in events[before:] if isinstance(e, TargetAnswered))
        self.board.show(released=answers)
        self._remember_release(letting_go, letting_go.plan, events)
        snapshot = await self._arrivals(answers, tasks)
        seen = release(state, snapshot, self._params, reason)
        self._remember_release(seen, Plan(), self._inbox.drain())

    async def _arrivals(
        self, answers: tuple[TargetAnswered, ...], tasks: asyncio.TaskGroup
    ) -> HostSnapshot:
        """Watch balloons until they are where they were sent, or for so long as a stop may take."""
        sent = {a.guest: a.target_bytes for a in answers if a.outcome is Outcome.ACCEPTED}
        until_s = self._clock.now_s() + ARRIVAL_S
        while True:
            snapshot = await self._collector.collect(tasks)
            missing = any((g.actual_bytes or 0) < sent.get(g.guest, 0) for g in snapshot.guests)
            if not missing or self._clock.now_s() >= until_s:
                return snapshot
            await asyncio.sleep(ARRIVAL_LOOK_S)

    def _remember_release(self, seen: Release, plan: Plan, events: tuple[Event, ...]) -> None:
        self._remember(
            RoundRecord(
                number=self.board.status.rounds + 1,
                snapshot=seen.snapshot,
                events=events,
                plan=plan,
                trace=seen.trace(),
                was_enforced=True,
            )
        )

    def _state_with_answers(self, now_s: float) -> EngineState:
        """The engine's state with what has come in since: a take just accepted is to be undone."""
        state = aligned(self._state, self._state.guests, now_s=now_s)
        return with_events(state, self._inbox.waiting(), now_s=now_s)
