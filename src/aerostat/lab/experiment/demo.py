"""The demo: one schedule on the same guests, first split evenly and held, then balanced."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aerostat.lab.experiment.arm import FRAME_S, ArmRunner, ArmSetting, Watch
from aerostat.lab.experiment.controller import Controller
from aerostat.lab.experiment.fleet import Fleet
from aerostat.lab.experiment.pictures import frame
from aerostat.lab.experiment.policies import ADAPTIVE, STATIC, UNCONSTRAINED, arm_params
from aerostat.lab.live import LivePicture
from aerostat.lab.recording import ArmRecording, ArmSecond, Experiment
from aerostat.lab.schedule import PhasePlan, Schedule

OnPicture = Callable[[LivePicture], None]

RESET_S = 3.0
"""Between arms everybody gets all its memory back for so long: no arm inherits the last one's."""
LEAD_IN_S = 3.0
"""With the arm's policy in force and everybody small, before an arm is measured."""
PHASE_S_MIN = 6.0
PHASE_S_MAX = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What runs, in order."""

    schedule: Schedule
    order: tuple[tuple[str, int], ...]  # (policy, repeat)

    @property
    def total_s(self) -> float:
        """How long it takes from the first measured second on."""
        warm_up = sum(phase.duration_s for phase in self.schedule.warm_up()[:-1])
        arm_s = RESET_S + LEAD_IN_S + self.schedule.duration_s
        return warm_up + len(self.order) * arm_s


def plan_demo(schedule: Schedule, seconds: float) -> DemoPlan:
    """Fit arms into so many seconds: longer phases first, then repeats in alternating order."""
    once = DemoPlan(schedule=schedule, order=_order(1))
    fixed_s = once.total_s - 2 * schedule.duration_s
    wanted_s = max(0.0, seconds - fixed_s)
    phases = len(schedule.phases)
    repeats = max(1, int(wanted_s / (2 * (phases * PHASE_S_MAX + RESET_S + LEAD_IN_S))))
    left_s = wanted_s - (repeats - 1) * 2 * (RESET_S + LEAD_IN_S)
    phase_s = min(PHASE_S_MAX, max(PHASE_S_MIN, left_s / (2 * repeats * phases)))
    scaled = schedule.scaled(int(phase_s) * phases / schedule.duration_s)
    return DemoPlan(schedule=scaled, order=_order(repeats))


def _order(repeats: int) -> tuple[tuple[str, int], ...]:
    """Arms in turn, the other way round in every second repeat: a drift then favours nobody."""
    arms: list[tuple[str, int]] = []
    for repeat in range(1, repeats + 1):
        pair = [STATIC, ADAPTIVE] if repeat % 2 else [ADAPTIVE, STATIC]
        arms.extend((policy, repeat) for policy in pair)
    return tuple(arms)


def rest_phase(schedule: Schedule, duration_s: float) -> PhasePlan:
    """Everybody at its smallest."""
    names = [guest.name for guest in schedule.guests]
    smallest = {n: min(phase.hot_bytes[n] for phase in schedule.phases) for n in names}
    return PhasePlan(duration_s=duration_s, hot_bytes=smallest)


@dataclass(slots=True)
class Demo:
    """Runs a plan on a fleet whose controller has been started."""

    plan: DemoPlan
    fleet: Fleet
    controller: Controller
    on_picture: OnPicture
    boot_s: float = 0.0  # seconds the onlooker has waited already
    _started_s: float = field(default_factory=time.monotonic)
    _history: list[ArmSecond] = field(default_factory=list)
    _max_bytes: dict[str, int] = field(default_factory=dict)

    async def run(self) -> Experiment:
        """Run every arm, in order."""
        schedule = self.plan.schedule
        self._max_bytes = {guest.name: guest.ram_bytes for guest in schedule.guests}
        self._started_s = self.fleet.clock.now_s()
        started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        runner = ArmRunner(self.fleet, self.controller, tuple(self._max_bytes), self._watch)
        arms = [await self._reference(runner)]
        for policy, repeat in self.plan.order:
            arms.append(await self._arm(runner, policy, repeat))
        return Experiment(
            name="demo",
            started_utc=started_utc,
            accelerator=self.fleet.accelerator,
            machine=self.fleet.machine,
            world=schedule.as_world(),
            guest_max_bytes=self._max_bytes,
            slo_s=schedule.slo_s,
            arms=tuple(arms),
            notes=self.fleet.notes,
        )

    async def _reference(self, runner: ArmRunner) -> ArmRecording:
        """Every guest big once with all its memory: the warm-up, and the reference."""
        schedule = self.plan.schedule
        self.controller.replace_params(arm_params(UNCONSTRAINED, schedule))
        turns = schedule.warm_up()[:-1]
        return await runner.play(_setting(UNCONSTRAINED, 1, None, turns))

    async def _arm(self, runner: ArmRunner, policy: str, repeat: int) -> ArmRecording:
        schedule = self.plan.schedule
        self.controller.replace_params(arm_params(UNCONSTRAINED, schedule))
        await self._lead_in(runner, policy, repeat, RESET_S)
        self.controller.replace_params(arm_params(policy, schedule))
        await self._lead_in(runner, policy, repeat, LEAD_IN_S)
        setting = _setting(policy, repeat, schedule.budget_bytes, schedule.phases)
        return await runner.play(setting)

    async def _lead_in(
        self, runner: ArmRunner, policy: str, repeat: int, duration_s: float
    ) -> None:
        rest = rest_phase(self.plan.schedule, duration_s)
        setting = _setting(policy, repeat, self.plan.schedule.budget_bytes, (rest,))
        await runner.play(replace(setting, policy=policy))

    def _watch(self, watch: Watch) -> None:
        if watch.second is not None and watch.second not in self._history[-1:]:
            self._history = [*self._history[-1:], watch.second]
        now_s = self.fleet.clock.now_s()
        self.on_picture(
            frame(
                watch,
                controller=self.controller,
                max_bytes=self._max_bytes,
                elapsed=(
                    self.boot_s + now_s - self._started_s,
                    self.boot_s + self.plan.total_s,
                    now_s,
                ),
                history=self._history,
                notes=self.fleet.notes,
            )
        )


def _setting(
    policy: str, repeat: int, budget_bytes: int | None, phases: Sequence[PhasePlan]
) -> ArmSetting:
    return ArmSetting(policy=policy, repeat=repeat, budget_bytes=budget_bytes, phases=phases)


@dataclass(slots=True)
class BootProgress:
    """Pictures from the first second on, while nothing runs yet."""

    on_picture: OnPicture
    words: str = "starting"
    _started_s: float = field(default_factory=time.monotonic)

    def tell(self, words: str) -> None:
        """Say what is being done now."""
        self.words = words

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started_s

    async def show(self) -> None:
        """Keep the picture fresh until cancelled."""
        while True:
            self.on_picture(
                LivePicture(title="Aerostat demo", arm=self.words, elapsed_s=self.elapsed_s)
            )
            await asyncio.sleep(FRAME_S)


def with_guests(schedule: Schedule, count: int) -> Schedule:
    """The same shape for another number of guests: one is big at a time, each in its turn.

    The budget keeps its share of a guest: 900 MiB for three are 300 MiB for each.
    """
    if count == len(schedule.guests):
        return schedule
    template = schedule.guests[0]
    names = [guest.name for guest in schedule.guests][:count]
    names += [f"guest{number}" for number in range(len(names) + 1, count + 1)]
    sizes = sorted(schedule.phases[0].hot_bytes.values())
    phase_s = schedule.phases[0].duration_s
    return replace(
        schedule,
        budget_bytes=schedule.budget_bytes // len(schedule.guests) * count,
        guests=tuple(replace(template, name=name) for name in names),
        phases=tuple(
            PhasePlan(duration_s=phase_s, hot_bytes=_one_big(names, big, sizes)) for big in names
        ),
    )


def _one_big(names: Sequence[str], big: str, sizes: Sequence[int]) -> Mapping[str, int]:
    return {name: sizes[-1] if name == big else sizes[0] for name in names}
