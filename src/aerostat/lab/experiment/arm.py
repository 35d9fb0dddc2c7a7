"""One arm: play the schedule under one policy, and write down every second."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aerostat.lab.experiment.controller import Controller
from aerostat.lab.experiment.fleet import Fleet
from aerostat.lab.recording import (
    ArmRecording,
    ArmSecond,
    GuestSecond,
    Phase,
    SpokenDecision,
    WorkloadSample,
)
from aerostat.lab.schedule import PhasePlan
from aerostat.model.plan import GuestTrace

FRAME_S = 0.25
"""How often somebody who watches gets a new picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSetting:
    """What an arm is."""

    policy: str
    technique: str | None = None
    repeat: int
    budget_bytes: int | None
    phases: Sequence[PhasePlan]


@dataclass(slots=True, kw_only=True)
class Watch:
    """What an onlooker may see while an arm runs; replaced every second."""

    setting: ArmSetting
    phase_number: int
    elapsed_s: float
    second: ArmSecond | None


OnFrame = Callable[[Watch], None]
OnPhase = Callable[[ArmSetting, int], None]


@dataclass(slots=True, kw_only=True)
class _Counters:
    """Totals at the start of the arm, to be told from those at its end."""

    daemon_cpu_s: float | None
    guests_cpu_s: float | None
    swap_in_bytes: int | None
    swap_out_bytes: int | None


@dataclass(slots=True)
class ArmRunner:
    """Plays arms on a fleet whose balancing loop is running."""

    fleet: Fleet
    controller: Controller
    guests: tuple[str, ...]
    on_frame: OnFrame
    on_phase: OnPhase  # called just before guests are told of it
    measure: Callable[[], int | None] | None = None
    """What the guests cost the host together; without one, the sum over them."""

    async def play(self, setting: ArmSetting) -> ArmRecording:
        """Play an arm; its parameters are already in force."""
        started_s = self.fleet.clock.now_s()
        before = self._counters()
        # A row at zero, with the last that was said before: where the counters start from.
        seconds: list[ArmSecond] = []
        zero = self._row_at_zero(setting.phases[0])
        phases: list[Phase] = []
        due_s = 0.0
        for number, plan in enumerate(setting.phases):
            phases.append(
                Phase(start_s=due_s, end_s=due_s + plan.duration_s, hot_bytes=plan.hot_bytes)
            )
            self.on_phase(setting, number)
            self.order(plan)
            due_s += plan.duration_s
            while len(seconds) + 1 <= due_s:
                await self._one_second(setting, number, started_s, seconds, plan)
        return ArmRecording(
            policy=setting.policy,
            technique=setting.technique,
            repeat=setting.repeat,
            budget_bytes=setting.budget_bytes,
            phases=tuple(phases),
            seconds=(zero, *seconds),
            decisions=self._decisions(started_s),
            churn_bytes=_churn((zero, *seconds), self.guests),
            why_invalid=self._why_invalid(),
            **self._spent(before),  # type: ignore[arg-type] # names and types of the counters
        )

    def order(self, plan: PhasePlan) -> None:
        """Tell every guest its hot set."""
        for guest in self.guests:
            if self.fleet.trouble(guest) is None:
                self.fleet.set_hot(guest, plan.hot_bytes[guest])

    async def _one_second(
        self,
        setting: ArmSetting,
        number: int,
        started_s: float,
        seconds: list[ArmSecond],
        plan: PhasePlan,
    ) -> None:
        end_s = len(seconds) + 1.0
        latest = seconds[-1] if seconds else None
        while True:
            elapsed_s = self.fleet.clock.now_s() - started_s
            if elapsed_s >= end_s:
                break
            watch = Watch(setting=setting, phase_number=number, elapsed_s=elapsed_s, second=latest)
            self.on_frame(watch)
            await asyncio.sleep(min(FRAME_S, end_s - elapsed_s))
        seconds.append(self._record(end_s, plan))

    def _record(self, elapsed_s: float, plan: PhasePlan) -> ArmSecond:
        guests = {guest: self._guest_second(guest, plan) for guest in self.guests}
        held = self._sum(guests) if self.measure is None else self.measure()
        return ArmSecond(elapsed_s=elapsed_s, guests=guests, host_held_bytes=held)

    def _sum(self, guests: Mapping[str, GuestSecond]) -> int | None:
        held = [second.held_bytes for second in guests.values()]
        known = [size for size in held if size is not None]
        return sum(known) if len(known) == len(held) else None

    def _guest_second(self, guest: str, plan: PhasePlan) -> GuestSecond:
        trace = self._trace(guest)
        actual = None if trace is None else trace.actual_bytes
        sample = self.fleet.next_sample(guest)
        used, cache, free = _split(sample, actual)
        return GuestSecond(
            hot_bytes=plan.hot_bytes[guest],
            actual_bytes=actual,
            target_bytes=actual if trace is None else (trace.target_bytes or actual),
            used_bytes=used,
            cache_bytes=cache,
            free_bytes=free,
            held_bytes=self.fleet.held_bytes(guest),
            workload=sample,
        )

    def _trace(self, guest: str) -> GuestTrace | None:
        record = self.controller.status.last
        if record is None:
            return None
        return next((trace for trace in record.trace.guests if trace.name == guest), None)

    def _row_at_zero(self, plan: PhasePlan) -> ArmSecond:
        """Take all that was said before the arm; only the newest of it counts, as a start."""
        rows = {}
        for guest in self.guests:
            newest = None
            while (sample := self.fleet.next_sample(guest)) is not None:
                newest = sample
            rows[guest] = replace(self._guest_second(guest, plan), workload=newest)
        return ArmSecond(elapsed_s=0.0, guests=rows)

    def _counters(self) -> _Counters:
        host = self.fleet.sensor.read()
        return _Counters(
            daemon_cpu_s=self.controller.cpu_s(),
            guests_cpu_s=self.fleet.cpu_s(),
            swap_in_bytes=host.swap_in_bytes,
            swap_out_bytes=host.swap_out_bytes,
        )

    def _spent(self, before: _Counters) -> dict[str, float | int | None]:
        now = self._counters()
        return {
            "daemon_cpu_s": _gone_by(before.daemon_cpu_s, now.daemon_cpu_s),
            "host_cpu_s": _gone_by(before.guests_cpu_s, now.guests_cpu_s),
            "host_swap_in_bytes": _counted(before.swap_in_bytes, now.swap_in_bytes),
            "host_swap_out_bytes": _counted(before.swap_out_bytes, now.swap_out_bytes),
        }

    def _decisions(self, started_s: float) -> tuple[SpokenDecision, ...]:
        return tuple(
            SpokenDecision(elapsed_s=now_s - started_s, guest=guest, words=words)
            for now_s, guest, words in tuple(self.controller.spoken.changes)
            if now_s >= started_s
        )

    def _why_invalid(self) -> str | None:
        troubles = [
            f"{guest}: {trouble}"
            for guest in self.guests
            if (trouble := self.fleet.trouble(guest)) is not None
        ]
        return "; ".join(troubles) or None


def _split(
    sample: WorkloadSample | None, actual_bytes: int | None
) -> tuple[int | None, int | None, int | None]:
    """What the guest holds, split into used, cache and free by the guest's own figures."""
    if sample is None or actual_bytes is None:
        return None, None, None
    free = min(sample.free_bytes, actual_bytes)
    available = min(max(sample.available_bytes, free), actual_bytes)
    return actual_bytes - available, available - free, free


def _churn(seconds: Sequence[ArmSecond], guests: Sequence[str]) -> int | None:
    """Bytes moved: the sum of what ``actual`` changed by, over guests."""
    moved = 0
    known = False
    for before, after in pairwise(seconds):
        for guest in guests:
            old, new = before.guests[guest].actual_bytes, after.guests[guest].actual_bytes
            if old is not None and new is not None:
                moved += abs(new - old)
                known = True
    return moved if known else None


def _gone_by(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else max(0.0, now - before)


def _counted(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else max(0, now - before)
