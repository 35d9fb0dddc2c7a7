"""Plays the schedule once an arm on the same guests, the host switched over in between."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aerostat.host.techniques.kernel_thread import read_cpu_s
from aerostat.host.techniques.technique import TechniqueError
from aerostat.lab.experiment.arm import ArmRunner, ArmSetting
from aerostat.lab.experiment.comparison import rest_phase
from aerostat.lab.experiment.controller import ThreadController
from aerostat.lab.experiment.policies import ADAPTIVE, UNCONSTRAINED, arm_params
from aerostat.lab.experiment.real_fleet import RealFleet
from aerostat.lab.foreign_load import (
    CpuUse,
    foreign_cores,
    judged_by_load,
    read_cpu_use,
)
from aerostat.lab.machine.cgroup import MemoryGroup
from aerostat.lab.machine.errors import MachineError
from aerostat.lab.recording import ArmRecording, Experiment, TakeBack
from aerostat.lab.schedule import PhasePlan, Schedule
from aerostat.lab.techniques.arms import LADDER, Host, TechniqueArm
from aerostat.lab.techniques.balance import params_for
from aerostat.lab.techniques.budget import LimitWriter, held_to
from aerostat.lab.techniques.budget_sensor import BudgetSensor
from aerostat.lab.techniques.cpu_split import HostSpent, gone_by, read_spent, split_of
from aerostat.lab.techniques.daemons_ladder import ReclaimThread, ladder_in_charge
from aerostat.lab.techniques.host_memory import HostMeasure, own_bytes
from aerostat.lab.techniques.host_state import HostTechniques
from aerostat.lab.techniques.plan import TechniquePlan
from aerostat.lab.techniques.pool_gate import pool_held
from aerostat.lab.techniques.renewal import fill_once, renew_swapped
from aerostat.lab.techniques.swap_speed import throttled
from aerostat.lab.techniques.take_back import NAMES as TAKE_BACK_NAMES
from aerostat.lab.techniques.take_back import TakeBackProbe, contents_of
from aerostat.lab.techniques.taken_back import with_taken_back
from aerostat.lab.techniques.verdict import OVER_BUDGET_RATIO

LEAD_IN_S = 2.5
LEAD_IN_S_MAX = 12.0
"""Everybody is small for so long with an arm's techniques on, then, with the limit drawn where an
arm is held by one, for so long again, and until those that can be have come down to the budget. No
host loses its memory from one moment to the next: whoever can act ahead of the limit may (of the
others, who do nothing on the host, it is only waited for that they come down). And who is measured
on the way down has memory that others have not."""
RECOVER_S_MAX, WELL_S = 15, 1
"""Between arms everybody gets all its memory back, until all serve for a while, or for so long."""

OnProgress = Callable[[str], None]


@dataclass(slots=True)
class _Bench:
    """The guests of one boot, and what watches over them."""

    fleet: RealFleet
    controller: ThreadController
    runner: ArmRunner
    sensor: BudgetSensor
    group: MemoryGroup
    host: HostTechniques
    measure: HostMeasure
    writer: LimitWriter
    thread: ReclaimThread
    own_bytes: int = 0


@dataclass(slots=True)
class TechniqueComparison:
    """Runs a plan."""

    plan: TechniquePlan
    on_progress: OnProgress
    _arms: list[ArmRecording] = field(default_factory=list)
    _notes: dict[str, None] = field(default_factory=dict)
    _take_backs: list[TakeBack] = field(default_factory=list)

    async def run(self) -> Experiment:
        """Run every arm.

        Raises:
            AerostatError: guests, or their cgroup, cannot be had here.
        """
        schedule = self.plan.schedule
        started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        fleet: RealFleet | None = None
        for boot in self.plan.boots:
            async with AsyncExitStack() as stack:
                bench = await self._boot(stack, boot.reports_free_pages)
                fleet = bench.fleet
                await self._warm_up(bench)
                for arm, repeat in boot.arms:
                    await (
                        self._reference(bench, repeat)
                        if arm is None
                        else self._arm(bench, arm, repeat)
                    )
                for arm, repeat in boot.arms:
                    if (
                        arm is not None
                        and arm.name in TAKE_BACK_NAMES
                        and repeat <= self.plan.take_backs
                    ):
                        await self._take_back(bench, arm)
        await self._with_huge_pages()
        assert fleet is not None, "a plan boots at least once"
        speed = {} if self.plan.swap_speed is None else self.plan.swap_speed.as_world()
        return Experiment(
            name="techniques",
            started_utc=started_utc,
            accelerator=fleet.accelerator,
            machine=fleet.machine,
            world={**schedule.as_world(), **speed},
            guest_max_bytes={guest.name: guest.ram_bytes for guest in schedule.guests},
            slo_s=schedule.slo_s,
            arms=with_taken_back(self._arms),
            notes=tuple(self._notes),
            take_backs=tuple(self._take_backs),
        )

    async def _with_huge_pages(self) -> None:
        """Take memory back of guests with huge pages behind them, which hide what is given."""
        arms = self.plan.on_huge_pages
        if not arms:
            return
        async with AsyncExitStack() as stack:
            bench = await self._boot(stack, reports_free_pages=False, huge_pages=True)
            await self._warm_up(bench)
            for arm in arms:
                await self._take_back(bench, arm, huge_pages=True)

    async def _boot(
        self, stack: AsyncExitStack, reports_free_pages: bool, *, huge_pages: bool = False
    ) -> _Bench:
        schedule = self.plan.schedule
        fleet = await stack.enter_async_context(
            RealFleet(
                schedule,
                self.on_progress,
                reports_free_pages=reports_free_pages,
                huge_pages=huge_pages,
            )
        )
        group = fleet.group
        if group is None:
            raise MachineError(
                "techniques are compared by what the guests' memory cgroup is charged with, and "
                "none can be had here: run as root on a host with a memory controller"
            )
        sensor = BudgetSensor(fleet.sensor)
        fleet.sensor = sensor
        swap_bytes = sum(guest.ram_bytes for guest in schedule.guests)
        host = HostTechniques(fleet.directory, swap_bytes, schedule.budget_bytes)
        measure = HostMeasure(group, host.kernel, host.log)
        throttle = stack.enter_context(
            throttled(fleet.directory, group, fleet.pids, self.plan.swap_speed)
        )
        writer = LimitWriter(group, throttle.join)
        stack.callback(writer.close)
        thread = ReclaimThread(throttle.join)
        stack.callback(thread.close)
        controller = ThreadController(fleet, arm_params(UNCONSTRAINED, schedule))
        await controller.start()
        runner = ArmRunner(
            fleet,
            controller,
            tuple(guest.name for guest in schedule.guests),
            on_frame=lambda _watch: None,
            on_phase=lambda _setting, _number: None,
            measure=lambda: measure.read().total_bytes,
        )
        self._notes.update(dict.fromkeys(fleet.notes))
        bench = _Bench(fleet, controller, runner, sensor, group, host, measure, writer, thread)
        stack.push_async_callback(_stop, bench)
        return bench

    async def _warm_up(self, bench: _Bench) -> None:
        """Every guest big once with all its memory, so that no arm measures its first touch."""
        self.on_progress("warming up: every guest big once")
        await fill_once(bench.fleet, self.plan.schedule)
        pids = bench.fleet.pids
        bench.own_bytes = sum(own_bytes(bench.host.kernel, pid) for pid in pids)

    async def _reference(self, bench: _Bench, repeat: int) -> None:
        """The schedule by guests with all their memory."""
        self.on_progress(f"unconstrained, repeat {repeat}")
        await self._recover(bench)
        schedule = self.plan.schedule
        before, kernel_s = _cpu_use(bench), _kernel_cpu_s(bench)
        played = await bench.runner.play(_setting(None, repeat, None, schedule.phases))
        foreign = foreign_cores(before, _cpu_use(bench), schedule.duration_s)
        kernel_cpu_s = _kernel_cpu_s(bench) - kernel_s
        self._arms.append(replace(judged_by_load(played, foreign), kernel_cpu_s=kernel_cpu_s))

    async def _arm(self, bench: _Bench, arm: TechniqueArm, repeat: int) -> None:
        why_not = bench.host.why_not(arm)
        if why_not is not None:
            self._notes[f"{arm.title} was left out: {why_not}"] = None
            return
        self.on_progress(f"{arm.title}, repeat {repeat}")
        await self._recover(bench)
        try:
            with bench.host.on(arm):
                async with self._in_charge(bench, arm):
                    played = await self._play(bench, arm, repeat)
        except TechniqueError as error:
            played = _void(arm, repeat, self.plan.schedule, str(error))
        self._arms.append(played)

    @asynccontextmanager
    async def _in_charge(self, bench: _Bench, arm: TechniqueArm) -> AsyncIterator[None]:
        """Let the arm's loop balance: the ladder's is the daemon's, with the host's techniques."""
        if arm.name != LADDER:
            yield
            return
        shared = bench.controller
        await shared.stop()
        begin = arm_params(UNCONSTRAINED, self.plan.schedule)
        try:
            async with ladder_in_charge(
                bench.runner, bench.fleet, begin, bench.host, bench.thread
            ) as bench.controller:
                yield
        finally:
            bench.controller = ThreadController(bench.fleet, begin)
            bench.runner.controller = bench.controller
            await bench.controller.start()

    async def _play(self, bench: _Bench, arm: TechniqueArm, repeat: int) -> ArmRecording:
        schedule = self.plan.schedule
        async with AsyncExitStack() as stack:
            if arm.is_held and arm.policy == ADAPTIVE:
                # Only to who balances by it: a fixed split would divide a smaller host as well.
                held = lambda: bench.measure.read().total_bytes  # noqa: E731
                bench.sensor.show_budget(schedule.budget_bytes, held)
                stack.callback(bench.sensor.show_all)
            bench.controller.replace_params(params_for(arm, schedule, bench.own_bytes))
            stack.callback(bench.controller.replace_params, arm_params(UNCONSTRAINED, schedule))
            if Host.ZSWAP in arm.host:
                pool = pool_held(bench.host.kernel, bench.host.pool_bytes)
                await stack.enter_async_context(pool)
            if arm.host:
                await self._rest(bench, arm, repeat)
            if arm.is_held:
                keeper = held_to(
                    schedule.budget_bytes,
                    bench.group,
                    bench.measure,
                    bench.writer,
                    has_pool=arm.has_pool,
                )
                await stack.enter_async_context(keeper)
            await self._come_down(bench, arm, repeat)
            return await self._measured(bench, arm, repeat)

    async def _rest(self, bench: _Bench, arm: TechniqueArm, repeat: int) -> None:
        """Everybody is small for a while."""
        rest = rest_phase(self.plan.schedule, LEAD_IN_S)
        budget_bytes = self.plan.schedule.budget_bytes
        await bench.runner.play(_setting(arm, repeat, budget_bytes, (rest,)))

    async def _come_down(self, bench: _Bench, arm: TechniqueArm, repeat: int) -> None:
        """Let everybody rest until the guests cost what they may."""
        most = OVER_BUDGET_RATIO * self.plan.schedule.budget_bytes
        for _ in range(int(LEAD_IN_S_MAX / LEAD_IN_S)):
            await self._rest(bench, arm, repeat)
            if not arm.can_take_at_will or bench.measure.read().total_bytes <= most:
                return

    async def _measured(self, bench: _Bench, arm: TechniqueArm, repeat: int) -> ArmRecording:
        schedule = self.plan.schedule
        before, kernel_s, spent = _cpu_use(bench), _kernel_cpu_s(bench), _spent(bench)
        setting = _setting(arm, repeat, schedule.budget_bytes, schedule.phases)
        played = await bench.runner.play(setting)
        foreign = foreign_cores(before, _cpu_use(bench), schedule.duration_s)
        now = _spent(bench)
        return replace(
            judged_by_load(played, foreign),
            title=arm.title,
            kernel_cpu_s=_kernel_cpu_s(bench) - kernel_s,
            cpu_split_s=split_of(spent, now, played.daemon_cpu_s),
            zswap_in_bytes=gone_by(spent.zswap_in_bytes, now.zswap_in_bytes),
            zswap_out_bytes=gone_by(spent.zswap_out_bytes, now.zswap_out_bytes),
        )

    async def _take_back(
        self, bench: _Bench, arm: TechniqueArm, *, huge_pages: bool = False
    ) -> None:
        """Measure how fast it takes memory, of guests that have all of theirs."""
        if bench.host.why_not(arm) is not None:
            return
        kinds = contents_of(self.plan.schedule)[: 1 if huge_pages else self.plan.take_back_kinds]
        for contents in kinds:
            self.on_progress(f"{arm.title}: taking 256 MiB back that are {contents}")
            await self._recover(bench)
            if arm.policy == ADAPTIVE:
                # What a balloon took before, and let go, the host does not hold: nothing to take.
                await fill_once(bench.fleet, self.plan.schedule)
            try:
                with bench.host.on(arm):
                    async with self._in_charge(bench, arm):
                        probe = self._probe(bench, huge_pages=huge_pages)
                        self._take_backs.append(await probe.run(arm, contents))
            except TechniqueError as error:
                self._notes[f"{arm.title} could not take {contents} memory back: {error}"] = None

    def _probe(self, bench: _Bench, *, huge_pages: bool) -> TakeBackProbe:
        return TakeBackProbe(
            fleet=bench.fleet,
            controller=bench.controller,
            measure=bench.measure,
            kernel=bench.host.kernel,
            log=bench.host.log,
            schedule=self.plan.schedule,
            sensor=bench.sensor,
            deadline_s=self.plan.take_back_s,
            give_s_max=self.plan.give_s_max,
            huge_pages=huge_pages,
        )

    async def _recover(self, bench: _Bench) -> None:
        """Wait until everybody serves again: what an arm swapped out is not the next one's."""
        bench.controller.replace_params(arm_params(UNCONSTRAINED, self.plan.schedule))
        await renew_swapped(bench.fleet, self.plan.schedule)
        rest = rest_phase(self.plan.schedule, 1.0)
        well_s = 0
        for _second in range(RECOVER_S_MAX):
            played = await bench.runner.play(_setting(None, 0, None, (rest,)))
            well_s = well_s + 1 if _all_serve(played) else 0
            if well_s >= WELL_S:
                return


async def _stop(bench: _Bench) -> None:
    """Stop the loop that balances by then: an arm may have had one of its own."""
    await bench.controller.stop()


def _kernel_cpu_s(bench: _Bench) -> float:
    return sum(read_cpu_s(bench.host.kernel, name) or 0.0 for name in ("ksmd", "kswapd"))


def _spent(bench: _Bench) -> HostSpent:
    return read_spent(
        bench.host.kernel, bench.fleet.pids, bench.writer.cpu_s + bench.thread.cpu_s()
    )


def _cpu_use(bench: _Bench) -> CpuUse:
    return read_cpu_use(bench.fleet.cpu_s(), _kernel_cpu_s(bench))


def _all_serve(played: ArmRecording) -> bool:
    samples = [row.workload for row in played.seconds[-1].guests.values()]
    return all(sample is not None and sample.served >= 0.95 * sample.offered for sample in samples)


def _setting(
    arm: TechniqueArm | None, repeat: int, budget: int | None, phases: tuple[PhasePlan, ...]
) -> ArmSetting:
    return ArmSetting(
        policy=UNCONSTRAINED if arm is None else arm.policy,
        technique=None if arm is None else arm.name,
        repeat=repeat,
        budget_bytes=budget,
        phases=phases,
    )


def _void(arm: TechniqueArm, repeat: int, schedule: Schedule, why: str) -> ArmRecording:
    """An arm that could not be run is listed with its reason, not left out."""
    return ArmRecording(
        policy=arm.policy,
        technique=arm.name,
        title=arm.title,
        repeat=repeat,
        budget_bytes=schedule.budget_bytes,
        phases=(),
        seconds=(),
        why_invalid=why,
    )
