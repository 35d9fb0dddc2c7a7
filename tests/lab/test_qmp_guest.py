"""The QMP driver on real guests: figures come, balloons move, the host really gets memory back."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import pytest

from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.host.footprint import FootprintReader
from aerostat.lab.image import GuestImage, build_image
from aerostat.lab.machine import Machine, MachineSpec, WorkloadSpec
from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.figures import Absence, BalloonStatistics
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.units import MIB
from deadlines import PATIENCE_S
from qemu_process import SystemClock

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]

GUEST = GuestId("qmp-guest")
BOOT_S = PATIENCE_S


@pytest.fixture(scope="module")
def image() -> GuestImage:
    """The lab's guest, from the cache that the scripts use."""
    default = Path(__file__).parents[2] / ".cache"
    return build_image(Path(os.environ.get("AEROSTAT_CACHE", default)), print)


class Rig:
    """One booted guest under an open driver."""

    def __init__(
        self, spec: MachineSpec, image: GuestImage, run_dir: Path, *, settings: QmpSettings
    ) -> None:
        clock = SystemClock()
        self.machine = Machine.start(spec, image, run_dir)
        self.footprints = FootprintReader(now_s=clock.now_s)
        self.driver = QmpDriver(
            [str(run_dir / "*.qmp")],
            clock=clock,
            settings=settings,
            footprint_of=self.footprints.read,
        )
        self.events: list[Event] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.machine)
            await self.machine.wait_booted(BOOT_S)
            await self.driver.open(self.events.append)
            stack.push_async_callback(self.driver.close)
            stack.callback(self.footprints.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def read(self) -> GuestSnapshot:
        return await self.driver.read_guest(GUEST)

    async def until(
        self, condition: Callable[[GuestSnapshot], bool], *, what: str
    ) -> GuestSnapshot:
        """Read until the snapshot is as wanted."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition(snapshot := await self.read()):
            assert time.monotonic() < deadline_s, f"{what}: last read {snapshot}"
            await asyncio.sleep(0.01)
        return snapshot

    async def until_actual(self, actual_bytes: int) -> GuestSnapshot:
        return await self.until(
            lambda snapshot: snapshot.actual_bytes == actual_bytes,
            what=f"actual reaches {actual_bytes}",
        )

    async def until_workload_samples(self, count: int) -> None:
        """Wait for lines of the workload: so long has the guest really run."""
        deadline_s = time.monotonic() + PATIENCE_S
        seen = {self.machine.latest.uptime_s} if self.machine.latest else set()
        while len(seen) <= count:
            assert time.monotonic() < deadline_s, f"only {seen} from the workload"
            await asyncio.sleep(0.05)
            seen |= {self.machine.latest.uptime_s} if self.machine.latest else set()

    async def until_heap(self, at_least_bytes: int, at_most_bytes: int) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (
            (latest := self.machine.latest) and at_least_bytes <= latest.heap_bytes <= at_most_bytes
        ):
            assert time.monotonic() < deadline_s, f"the workload's heap: {latest}"
            await asyncio.sleep(0.05)

    def lifecycle(self) -> list[LifecycleKind]:
        return [event.kind for event in self.events if isinstance(event, LifecycleChanged)]


def run(
    image: GuestImage,
    run_dir: Path,
    scenario: Callable[[Rig], Awaitable[None]],
    spec: MachineSpec | None = None,
    settings: QmpSettings | None = None,
) -> None:
    """Boot one guest, run a scenario on it, end it."""

    async def whole() -> None:
        described = spec if spec is not None else MachineSpec(name=GUEST, swap="none")
        async with Rig(described, image, run_dir, settings=settings or QmpSettings()) as rig:
            await scenario(rig)

    asyncio.run(whole())


def has_figures(snapshot: GuestSnapshot) -> bool:
    statistics = snapshot.statistics
    return statistics is not None and statistics.available_bytes is not None


def statistics_of(snapshot: GuestSnapshot) -> BalloonStatistics:
    assert snapshot.statistics is not None
    return snapshot.statistics


def test_a_guest_reports_every_second_once_it_is_asked_to(
    image: GuestImage, tmp_path: Path
) -> None:
    async def scenario(rig: Rig) -> None:
        first = statistics_of(await rig.until(has_figures, what="figures come"))
        assert first.total_bytes is not None
        assert first.available_bytes is not None
        assert 400 * MIB < first.total_bytes < 512 * MIB
        assert 300 * MIB < first.available_bytes < first.total_bytes
        assert first.free_bytes is not None
        assert first.cache_bytes is not None
        assert first.swap_out_bytes == 0
        assert first.major_faults is not None
        assert first.age_s < 3.0
        later = await rig.until(
            lambda snapshot: statistics_of(snapshot).sampled_wall_s >= first.sampled_wall_s + 3,
            what="three more samples come",
        )
        assert statistics_of(later).age_s < 3.0

    run(image, tmp_path, scenario)


def test_a_guest_that_is_not_asked_reports_once_and_that_grows_old(
    image: GuestImage, tmp_path: Path
) -> None:
    async def scenario(rig: Rig) -> None:
        first = statistics_of(await rig.read())
        old = await rig.until(
            lambda snapshot: statistics_of(snapshot).age_s > 4.0, what="the one sample grows old"
        )
        assert statistics_of(old).sampled_wall_s == first.sampled_wall_s

    run(image, tmp_path, scenario, settings=QmpSettings(arm_statistics=False))


def test_what_a_balloon_takes_the_host_really_gets_and_no_page_is_harmed(
    image: GuestImage, tmp_path: Path
) -> None:
    """By the VM's memory cgroup: under transparent huge pages RSS falls and nothing is free."""
    spec = MachineSpec(
        name=GUEST, swap="none", workload=WorkloadSpec(hot_bytes=380 * MIB, rate=5000)
    )

    async def scenario(rig: Rig) -> None:
        if rig.machine.cgroup is None:
            pytest.skip(f"the host has no memory cgroup for a VM: {rig.machine.notes}")
        await rig.until_heap(350 * MIB, 512 * MIB)  # touched at random: the last pages take long
        rig.machine.send(f"hot {64 * MIB}")  # the rest is freed, inside the guest only
        await rig.until_heap(0, 100 * MIB)
        before = (await rig.read()).footprint
        assert before is not None
        assert before.held_source == "cgroup"
        assert before.cgroup_bytes is not None

        await rig.driver.set_target(GUEST, target_bytes=200 * MIB)
        inflated = await rig.until_actual(200 * MIB)
        taken_bytes = 312 * MIB
        wanted_bytes = before.cgroup_bytes - int(0.7 * taken_bytes)  # the rest was never touched
        after = await rig.until(
            lambda s: s.footprint is not None and (s.footprint.cgroup_bytes or 0) < wanted_bytes,
            what=f"the VM's cgroup falls from {before.cgroup_bytes} below {wanted_bytes}",
        )
        assert inflated.max_bytes == 512 * MIB
        assert after.run_state is RunState.RUNNING
        assert any(isinstance(event, BalloonMoved) for event in rig.events)

        await rig.driver.set_target(GUEST, target_bytes=512 * MIB)
        await rig.until_actual(512 * MIB)
        rig.machine.send(f"hot {300 * MIB}")
        await rig.until_heap(270 * MIB, 512 * MIB)
        await rig.until_workload_samples(3)
        assert rig.machine.latest is not None
        assert rig.machine.latest.checksum_errors == 0
        assert rig.machine.latest.served > 0
        assert rig.machine.latest.oom_kills == 0

    run(image, tmp_path, scenario, spec)


def test_a_guest_without_the_balloon_driver_takes_every_target_and_does_nothing(
    image: GuestImage, tmp_path: Path
) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.driver.set_target(GUEST, target_bytes=200 * MIB)  # accepted: QEMU cannot know
        await rig.until_workload_samples(3)
        snapshot = await rig.read()
        assert snapshot.has_balloon is True
        assert snapshot.actual_bytes == 512 * MIB
        statistics = statistics_of(snapshot)
        assert {figure.why for figure in statistics.absent} == {Absence.NEVER_SAMPLED}

    workload = WorkloadSpec(hot_bytes=16 * MIB, rate=100)
    spec = MachineSpec(name=GUEST, swap="none", balloon_driver="absent", workload=workload)
    run(image, tmp_path, scenario, spec)


def test_a_paused_guest_takes_a_target_and_acts_on_it_when_it_runs_again(
    image: GuestImage, tmp_path: Path
) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(has_figures, what="figures come")
        await rig.machine.monitor.execute("stop")
        paused = await rig.read()
        assert paused.run_state is RunState.PAUSED
        await rig.driver.set_target(GUEST, target_bytes=300 * MIB)
        frozen = await rig.until(
            lambda snapshot: statistics_of(snapshot).age_s > 3.0,
            what="the figures of a paused guest grow old",
        )
        assert frozen.actual_bytes == 512 * MIB
        await rig.machine.monitor.execute("cont")
        running = await rig.until_actual(300 * MIB)
        assert running.run_state is RunState.RUNNING
        fresh = await rig.until(
            lambda snapshot: statistics_of(snapshot).age_s < 2.0, what="figures come again"
        )
        assert statistics_of(fresh).sampled_wall_s > statistics_of(frozen).sampled_wall_s
        wanted = [LifecycleKind.APPEARED, LifecycleKind.PAUSED, LifecycleKind.RESUMED]
        assert rig.lifecycle() == wanted

    run(image, tmp_path, scenario)


def test_a_reset_is_told_because_the_fresh_kernel_inflates_to_the_old_target(
    image: GuestImage, tmp_path: Path
) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.driver.set_target(GUEST, target_bytes=300 * MIB)
        await rig.until_actual(300 * MIB)
        await rig.machine.monitor.execute("system_reset")
        # The balloon went with the old kernel, but QEMU knows only when the new driver has loaded:
        # until then it goes on telling the old figure.
        await rig.until(
            lambda snapshot: (snapshot.actual_bytes or 0) > 300 * MIB, what="a new driver loads"
        )
        kinds = rig.lifecycle()
        assert kinds[0] is LifecycleKind.APPEARED
        assert set(kinds[1:]) == {LifecycleKind.RESET}  # SeaBIOS resets the machine again
        await rig.until_actual(300 * MIB)  # nobody has asked for this again
        await rig.driver.set_target(GUEST, target_bytes=512 * MIB)
        await rig.until_actual(512 * MIB)

    reboots = ("-action", "reboot=reset")  # lab machines end at a reboot unless told otherwise
    run(image, tmp_path, scenario, MachineSpec(name=GUEST, swap="none", extra_args=reboots))


def test_a_balloon_with_nothing_to_move_after_a_reset_is_nudged_to_tell_its_size(
    image: GuestImage, tmp_path: Path
) -> None:
    """What the engine's reason ``nudged_at_max`` is for."""

    async def scenario(rig: Rig) -> None:
        await rig.driver.set_target(GUEST, target_bytes=300 * MIB)
        await rig.until_actual(300 * MIB)
        before = statistics_of(await rig.read())
        await rig.machine.monitor.execute("system_reset")
        await rig.driver.set_target(GUEST, target_bytes=512 * MIB)
        await rig.until(lambda s: is_younger(s, before), what="the fresh kernel's figures")
        assert (await rig.read()).actual_bytes == 300 * MIB
        await rig.driver.set_target(GUEST, target_bytes=511 * MIB)
        await rig.until_actual(511 * MIB)

    reboots = ("-action", "reboot=reset")
    run(image, tmp_path, scenario, MachineSpec(name=GUEST, swap="none", extra_args=reboots))


def is_younger(snapshot: GuestSnapshot, before: BalloonStatistics) -> bool:
    """Whether another kernel than before tells figures: its counters began again."""
    now = snapshot.statistics
    if now is None or now.minor_faults is None or before.minor_faults is None:
        return False
    return now.sampled_wall_s > before.sampled_wall_s and now.minor_faults < before.minor_faults


def test_a_guest_in_migration_is_told_as_such_and_comes_back_when_it_is_cancelled(
    image: GuestImage, tmp_path: Path
) -> None:
    async def scenario(rig: Rig) -> None:
        monitor = rig.machine.monitor
        await monitor.execute("migrate-set-parameters", {"max-bandwidth": 65536})
        await monitor.execute("migrate", {"uri": "exec:cat>/dev/null"})
        await rig.until(lambda s: s.run_state is RunState.MIGRATING, what="migration is seen")
        await monitor.execute("migrate_cancel")
        await rig.until(lambda s: s.run_state is RunState.RUNNING, what="the VM is back")

    run(image, tmp_path, scenario)
