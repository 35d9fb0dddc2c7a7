"""A comparison: one schedule on the same guests, once per arm, after every guest was big once."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aerostat.lab.experiment.arm import ArmRunner, ArmSetting, Watch
from aerostat.lab.experiment.controller import Controller
from aerostat.lab.experiment.fleet import Fleet
from aerostat.lab.experiment.pictures import frame
from aerostat.lab.experiment.policies import (
    CLAIRVOYANT,
    STATIC,
    UNCONSTRAINED,
    arm_params,
    known_demands,
)
from aerostat.lab.foreign_load import foreign_cores, judged_by_load, read_cpu_use
from aerostat.lab.live import LivePicture
from aerostat.lab.recording import ArmRecording, ArmSecond, Experiment
from aerostat.lab.schedule import PhasePlan, Schedule

OnPicture = Callable[[LivePicture], None]

RESET_S = 3.0
"""Between arms everybody gets all its memory back for so long: no arm inherits the last one's."""
RESET_S_MAX = 12
"""And for longer, up to this, while somebody is still reading its pages back from swap."""
LEAD_IN_S = 3.0
"""With the memory split evenly and everybody small, before an arm is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """What runs, in order."""

    name: str  # "demo", "bench"
    schedule: Schedule
    order: tuple[tuple[str, int], ...]  # (policy, repeat)
    discards_disturbed: bool = False  # arms during which others kept the machine busy are void

    @property
    def total_s(self) -> float:
        """How long it takes from the first measured second on."""
        warm_up = sum(phase.duration_s for phase in self.schedule.warm_up()[:-1])
        arm_s = RESET_S + LEAD_IN_S + self.schedule.duration_s
        return warm_up + len(self.order) * arm_s


def shuffled_order(policies: Sequence[str], repeats: int, seed: int) -> tuple[tuple[str, int], ...]:
    """Every policy once a repeat, each repeat in an order of its own: a drift favours nobody."""
    draw = random.Random(seed)
    arms: list[tuple[str, int]] = []
    for repeat in range(1, repeats + 1):
        turn = list(policies)
        draw.shuffle(turn)
        arms.extend((policy, repeat) for policy in turn)
    return tuple(arms)


def _all_serve(played: ArmRecording) -> bool:
    """Whether every guest served what was offered in the last second, where it said anything."""
    samples = [row.workload for row in played.seconds[-1].guests.values()]
    return all(sample is not None and sample.served >= 0.95 * sample.offered for sample in samples)


def rest_phase(schedule: Schedule, duration_s: float) -> PhasePlan:
    """Everybody at its smallest."""
    names = [guest.name for guest in schedule.guests]
    smallest = {n: min(phase.hot_bytes[n] for phase in schedule.phases) for n in names}
    return PhasePlan(duration_s=duration_s, hot_bytes=smallest)


@dataclass(slots=True)
class Comparison:
    """Runs a plan on a fleet whose controller has been started."""

    plan: ComparisonPlan
    fleet: Fleet
    controller: Controller
    on_picture: OnPicture
    boot_s: float = 0.0  # seconds the onlooker has waited already
    _started_s: float = 0.0
    _history: list[ArmSecond] = field(default_factory=list)
    _max_bytes: dict[str, int] = field(default_factory=dict)

    async def run(self) -> Experiment:
        """Run every arm, in order."""
        schedule = self.plan.schedule
        self._max_bytes = {guest.name: guest.ram_bytes for guest in schedule.guests}
        self._started_s = self.fleet.clock.now_s()
        started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        runner = ArmRunner(
            self.fleet, self.controller, tuple(self._max_bytes), self._watch, self._phase_begins
        )
        arms = [await self._reference(runner)]
        for policy, repeat in self.plan.order:
            arms.append(await self._arm(runner, policy, repeat))
        return Experiment(
            name=self.plan.name,
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
        await self._recover(runner, policy, repeat)
        # Everybody starts from the even split: a policy that shrinks slowly would else spend its
        # first half minute with more than the budget.
        self.controller.replace_params(arm_params(STATIC, schedule))
        await self._lead_in(runner, policy, repeat, LEAD_IN_S)
        self.controller.replace_params(arm_params(policy, schedule))
        setting = _setting(policy, repeat, schedule.budget_bytes, schedule.phases)
        if not self.plan.discards_disturbed or self.fleet.cpu_s() is None:
            return await runner.play(setting)  # from simulated guests nobody takes a processor
        before = read_cpu_use(self.fleet.cpu_s(), 0.0)
        played = await runner.play(setting)
        now = read_cpu_use(self.fleet.cpu_s(), 0.0)
        return judged_by_load(played, foreign_cores(before, now, schedule.duration_s))

    async def _recover(self, runner: ArmRunner, policy: str, repeat: int) -> None:
        """Wait until everybody serves again: under TCG reading back from swap takes seconds."""
        healthy_s = 0
        for second in range(RESET_S_MAX):
            played = await self._lead_in(runner, policy, repeat, 1.0)
            healthy_s = healthy_s + 1 if _all_serve(played) else 0
            if second + 1 >= RESET_S and healthy_s >= 2:
                return

    async def _lead_in(
        self, runner: ArmRunner, policy: str, repeat: int, duration_s: float
    ) -> ArmRecording:
        rest = rest_phase(self.plan.schedule, duration_s)
        setting = _setting(policy, repeat, self.plan.schedule.budget_bytes, (rest,))
        return await runner.play(setting)

    def _phase_begins(self, setting: ArmSetting, number: int) -> None:
        """Tell the clairvoyant, and nobody else, what is to come."""
        if setting.policy == CLAIRVOYANT:
            later = setting.phases[min(number + 1, len(setting.phases) - 1)]
            schedule = self.plan.schedule
            told = known_demands(schedule, setting.phases[number], later)
            params = replace(arm_params(CLAIRVOYANT, schedule), known_demands=told)
            self.controller.replace_params(params)

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
