"""Plays one burst on one guest: at rest, watched for a while, then a quarter of its RAM at once."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from aerostat.control.loop import Loop
from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.engine.params import EngineParams, HostParams
from aerostat.host.clock import SystemClock
from aerostat.host.sensor import ProcHostSensor
from aerostat.lab.burst.found import Arm, Burst
from aerostat.lab.burst.watch import BalloonWatch, Returned
from aerostat.lab.experiment.controller import Spoken
from aerostat.lab.machine import Machine
from aerostat.lab.machine.errors import MachineError
from aerostat.model.limits import Amount
from aerostat.model.modes import Mode
from aerostat.units import MIB

RAM_BYTES = 512 * MIB
JUMP_BYTES = RAM_BYTES // 4
HOT_BYTES = 130 * MIB
HELD_BYTES = 288 * MIB
GAP_BYTES = 160 * MIB
"""What the host keeps for guests in distress: all of it is given in one step."""
BY_THE_JUMP_S = 0.1
REST_S = 6.0
LOOK_MAX_S = 40.0
_REST_MAX_S = 90.0


class BurstPlayer:
    """Bursts on one booted machine."""

    def __init__(self, machine: Machine, watch: BalloonWatch, run_dir: Path) -> None:
        self._machine = machine
        self._watch = watch
        self._run_dir = run_dir
        self._offset_s: float | None = None  # of our clock to the guest's
        # Beside this name of the monitor there is no agent's socket, so none is heard.
        self._deaf = run_dir / "deaf"
        self._deaf.mkdir()
        (self._deaf / machine.files.qmp.name).symlink_to(machine.files.qmp)

    async def play(self, arm: Arm, repeat: int, phase: float) -> Burst:
        """Play one.

        Args:
            arm: how it is heard of.
            repeat: which of them, from 0.
            phase: where in the period of the statistics the burst begins, 0 to 1.
        """
        await self._rest(arm)
        async with self._balanced(arm):
            # A period and more: the loop has had samples, and knows what is normal.
            await asyncio.sleep((1.0 + phase) * arm.period_s + REST_S)
            return await self._burst(arm, repeat)

    async def _rest(self, arm: Arm) -> None:
        self._machine.send(f"hot {HOT_BYTES}")
        await asyncio.sleep(REST_S)
        await self._watch.set_period(arm.period_s)
        await self._watch.set_target(HELD_BYTES)
        if not await self._watch.until_at_most(HELD_BYTES, _REST_MAX_S):
            raise MachineError(f"{self._machine.spec.name}: its balloon did not inflate")
        await asyncio.sleep(REST_S)

    @contextlib.asynccontextmanager
    async def _balanced(self, arm: Arm) -> AsyncIterator[None]:
        if arm.is_raw:
            yield
            return
        monitors = self._run_dir if arm.hears_agent else self._deaf
        settings = QmpSettings(statistics_period_s=arm.period_s)
        loop = Loop(
            driver=QmpDriver([str(monitors / "*.qmp")], clock=SystemClock(), settings=settings),
            sensor=ProcHostSensor(),
            clock=SystemClock(),
            params=_params(),
            mode=Mode.ENFORCE,
            journal=Spoken(),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(loop.run())
            try:
                yield
            finally:
                loop.request_stop()

    async def _burst(self, arm: Arm, repeat: int) -> Burst:
        from_bytes = await self._watch.actual_bytes()
        gap_bytes = HELD_BYTES + GAP_BYTES - from_bytes
        before = self._machine.stall
        self._drain()
        self._machine.send("stall tell")
        ordered_s = time.monotonic()
        self._machine.send(f"jump {HOT_BYTES + JUMP_BYTES}")
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._watch.returned(from_bytes, gap_bytes, LOOK_MAX_S))
            stall = tasks.create_task(self._stall(arm, before, looking))
        stall_s, sent_s = stall.result()
        back = looking.result()
        offered, lost = self._drain()
        burst = Burst(
            arm=arm.name,
            repeat=repeat,
            gap_bytes=gap_bytes,
            was_at_rest=_was_at_rest(gap_bytes, stall_s, ordered_s),
            stalled_after_s=None if stall_s is None else stall_s - ordered_s,
            offered=offered,
            lost=lost,
        )
        if stall_s is None:
            return burst
        return replace(
            burst,
            sent_s=None if sent_s is None else sent_s - stall_s,
            first_page_s=None if back.first_s is None else back.first_s - stall_s,
            most_s=None if back.most_s is None else back.most_s - stall_s,
        )

    async def _stall(
        self, arm: Arm, before: object, looking: "asyncio.Task[Returned]"
    ) -> tuple[float | None, float | None]:
        """When it first stalled, on the host's clock, and when the raw arm sent its target."""
        give_up_s = float("inf")
        while (stall := self._machine.stall) is before or stall is None:
            if looking.done():  # it may have got its memory before it had to wait
                give_up_s = min(give_up_s, time.monotonic() + REST_S)
            if time.monotonic() > give_up_s:
                return None, None
            await asyncio.sleep(0.001)
        sent_s = None
        if arm.is_raw:
            sent_s = time.monotonic()
            await self._watch.set_target(HELD_BYTES + GAP_BYTES)
        # By the guest's clock, as its promptest lines place that on ours: a line comes late, never
        # early.
        offset_s = stall.received_s - stall.uptime_s
        if self._offset_s is not None:
            offset_s = min(offset_s, self._offset_s)
        return stall.uptime_s + offset_s, sent_s

    def _drain(self) -> tuple[int, int]:
        offered = lost = 0
        while (sample := self._machine.take_sample()) is not None:
            offered += sample.offered
            lost += max(0, sample.offered - sample.served)
            offset_s = sample.received_s - sample.uptime_s
            before = self._offset_s
            self._offset_s = offset_s if before is None else min(before, offset_s)
        return offered, lost


def _was_at_rest(gap_bytes: int, stall_s: float | None, ordered_s: float) -> bool:
    """Nothing can stall for the jump's sake before that has filled what was free."""
    is_by_the_jump = stall_s is None or stall_s - ordered_s >= BY_THE_JUMP_S
    return is_by_the_jump and gap_bytes > GAP_BYTES - 8 * MIB


def _params() -> EngineParams:
    kept = Amount(size_bytes=GAP_BYTES)
    host = HostParams(
        budget_bytes=HELD_BYTES + GAP_BYTES, burst_reserve=kept, burst_reserve_min=kept
    )
    return EngineParams(host=host)
