"""Plays one burst on one guest: at rest, then a quarter of its RAM at once.

A cycle takes seconds: the guest begins anew with pages that were never swapped, so that nothing of
the burst before is read back while this one is watched, and rest is waited for, not slept for.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
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
from aerostat.lab.recording import WorkloadSample
from aerostat.model.limits import Amount
from aerostat.model.modes import Mode
from aerostat.units import MIB

RAM_BYTES = 512 * MIB
JUMP_BYTES = RAM_BYTES // 4
HOT_BYTES = 130 * MIB
HELD_BYTES = 288 * MIB
GAP_BYTES = 160 * MIB
"""What the host keeps for guests in distress: all of it is given in one step."""
GAP_NOISE_BYTES = 8 * MIB
BY_THE_JUMP_S = 0.1
REST_S = 0.7
"""Nobody in the guest waits for so long: it is at rest."""
REST_S_MAX = 20.0
LOOK_MAX_S = 40.0
_LATE_STALL_S = 1.0
_ORDER_S = 0.05  # an order is obeyed within a few milliseconds
_HEAP_S = 60.0
_BALLOON_S = 90.0
_LINES_KEPT = 10


class BurstPlayer:
    """Bursts on one booted machine."""

    def __init__(self, machine: Machine, watch: BalloonWatch, run_dir: Path) -> None:
        self._machine = machine
        self._watch = watch
        self._run_dir = run_dir
        self._offsets_s: deque[float] = deque(maxlen=_LINES_KEPT)  # of our clock to the guest's
        self._sampled_from_wall_s = 0.0
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
        await self._begin_anew(arm)
        async with self._balanced(arm) as loop:
            why = await self._until_ready(arm, loop, phase)
            if why is not None:
                return _no_burst(arm, repeat, why)
            burst = await self._burst(arm, repeat)
        await self._report()
        offered, lost = self._drain()
        return replace(burst, offered=offered, lost=lost)

    async def _begin_anew(self, arm: Arm) -> None:
        """The same guest as before every other burst: nothing of its working set is in its swap."""
        await self._resize(RAM_BYTES)
        self._machine.send("hot 0")
        await self._until_heap(0)
        self._machine.send(f"jump {HOT_BYTES}")
        await self._until_heap(HOT_BYTES)  # or the balloon would push out what is being filled
        await self._resize(HELD_BYTES)
        # Switched off and on again, the statistics come at once, and then once a period.
        await self._watch.set_period(0)
        self._sampled_from_wall_s = math.floor(time.time())  # stamps are whole seconds
        await self._watch.set_period(arm.period_s)

    async def _until_heap(self, size_bytes: int) -> None:
        """Wait until the guest has let go of its heap, or filled it."""
        give_up_s = time.monotonic() + _HEAP_S
        while (await self._report()).heap_bytes != size_bytes:
            if time.monotonic() > give_up_s:
                raise MachineError(f"{self._machine.spec.name}: its heap did not change")

    async def _report(self) -> WorkloadSample:
        """What the guest says just now."""
        last = self._machine.latest
        give_up_s = time.monotonic() + _HEAP_S
        self._machine.send("report now")
        while (sample := self._machine.latest) is last or sample is None:
            if time.monotonic() > give_up_s:
                raise MachineError(f"{self._machine.spec.name}: it says nothing")
            await asyncio.sleep(0.01)
        return sample

    async def _resize(self, size_bytes: int) -> None:
        await self._watch.set_target(size_bytes)
        if not await self._watch.until(size_bytes, _BALLOON_S):
            raise MachineError(f"{self._machine.spec.name}: its balloon did not move")

    @contextlib.asynccontextmanager
    async def _balanced(self, arm: Arm) -> AsyncIterator[Loop | None]:
        if arm.is_raw:
            yield None
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
                yield loop
            finally:
                loop.request_stop()

    async def _until_ready(self, arm: Arm, loop: Loop | None, phase: float) -> str | None:
        """Wait until the loop knows what is normal and nobody waits; why not, if that never was."""
        give_up_s = time.monotonic() + REST_S_MAX
        while loop is not None and not _has_heard(loop, arm, self._sampled_from_wall_s):
            if time.monotonic() > give_up_s:
                return "the daemon heard nothing of it"
            await asyncio.sleep(0.02)
        if not arm.hears_agent and not arm.is_raw:
            await asyncio.sleep(phase * arm.period_s)
        give_up_s = time.monotonic() + REST_S_MAX
        while await self._stalls_within(REST_S):
            if time.monotonic() > give_up_s:
                return f"somebody in it waited again and again for {REST_S_MAX:g} s"
        return None

    async def _stalls_within(self, time_s: float) -> bool:
        before = await self._listen_for_stall()
        give_up_s = time.monotonic() + time_s
        while time.monotonic() < give_up_s:
            if self._machine.stall is not before:
                return True
            await asyncio.sleep(0.02)
        return False

    async def _listen_for_stall(self) -> object:
        """Have the next be told, counted from now; returns the last that was told."""
        self._machine.send("stall hush")
        await asyncio.sleep(_ORDER_S)
        before = self._machine.stall
        self._machine.send("stall tell")
        return before

    async def _burst(self, arm: Arm, repeat: int) -> Burst:
        self._drain()
        before = await self._listen_for_stall()
        from_bytes = await self._watch.actual_bytes()
        gap_bytes = HELD_BYTES + GAP_BYTES - from_bytes
        ordered_s = time.monotonic()
        self._machine.send(f"jump {HOT_BYTES + JUMP_BYTES}")
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._watch.returned(from_bytes, gap_bytes, LOOK_MAX_S))
            stall = tasks.create_task(self._stall(arm, before, looking))
        stall_s, sent_s = stall.result()
        back = looking.result()
        why = _why_not_at_rest(gap_bytes, None if stall_s is None else stall_s - ordered_s)
        burst = Burst(
            arm=arm.name,
            repeat=repeat,
            gap_bytes=gap_bytes,
            was_at_rest=why is None,
            why_not_at_rest=why,
            stalled_after_s=None if stall_s is None else stall_s - ordered_s,
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
                give_up_s = min(give_up_s, time.monotonic() + _LATE_STALL_S)
            if time.monotonic() > give_up_s:
                return None, None
            await asyncio.sleep(0.001)
        sent_s = None
        if arm.is_raw:
            sent_s = time.monotonic()
            await self._watch.set_target(HELD_BYTES + GAP_BYTES)
        # By the guest's clock, as its promptest lines place that on ours: a line comes late, never
        # early. Of the last seconds only: the guest's clock may drift.
        offset_s = min((stall.received_s - stall.uptime_s, *self._offsets_s))
        return stall.uptime_s + offset_s, sent_s

    def _drain(self) -> tuple[int, int]:
        offered = lost = 0
        while (sample := self._machine.take_sample()) is not None:
            offered += sample.offered
            lost += max(0, sample.offered - sample.served)
            self._offsets_s.append(sample.received_s - sample.uptime_s)
        return offered, lost


def _no_burst(arm: Arm, repeat: int, why: str) -> Burst:
    return Burst(
        arm=arm.name, repeat=repeat, gap_bytes=GAP_BYTES, was_at_rest=False, why_not_at_rest=why,
        stalled_after_s=None,
    )  # fmt: skip


def _has_heard(loop: Loop, arm: Arm, from_wall_s: float) -> bool:
    """Whether its last round had figures of the guest anew, and its agent's where it hears one."""
    last = loop.board.status.last
    guests = () if last is None else last.snapshot.guests
    return any(
        guest.statistics is not None
        and guest.statistics.sampled_wall_s >= from_wall_s
        and (guest.pressure is not None or not arm.hears_agent)
        for guest in guests
    )


def _why_not_at_rest(gap_bytes: int, stalled_after_s: float | None) -> str | None:
    """Nothing can stall for the jump's sake before that has filled what was free."""
    if gap_bytes <= GAP_BYTES - GAP_NOISE_BYTES:
        return "it had been given memory"
    if stalled_after_s is not None and stalled_after_s < BY_THE_JUMP_S:
        return "it waited already"
    return None


def _params() -> EngineParams:
    kept = Amount(size_bytes=GAP_BYTES)
    host = HostParams(
        budget_bytes=HELD_BYTES + GAP_BYTES, burst_reserve=kept, burst_reserve_min=kept
    )
    return EngineParams(host=host)
