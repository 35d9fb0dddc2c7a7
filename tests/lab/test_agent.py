"""The agent in a real guest: its figures come, its pressure is pushed, and the loop gives on it."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from aerostat.control.loop import Loop
from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.engine.params import EngineParams, HostParams
from aerostat.host.sensor import ProcHostSensor
from aerostat.lab.experiment.controller import Spoken
from aerostat.lab.image import GuestImage, build_image
from aerostat.lab.machine import Machine, MachineSpec, WorkloadSpec
from aerostat.model.events import Event, PressurePushed
from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.model.limits import Amount
from aerostat.model.modes import Mode
from aerostat.units import MIB
from lab.patience import BOOT_S
from qemu_process import SystemClock

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(700)]

GUEST = GuestId("pushing")
PATIENCE_S = 180.0
SMALL_BYTES = 288 * MIB
SELDOM_S = 3600
"""Statistics so seldom that whatever happens in the test is not by them."""


@pytest.fixture(scope="module")
def image() -> GuestImage:
    """A guest with Python and the agent in it."""
    default = Path(__file__).parents[2] / ".cache"
    cache = Path(os.environ.get("AEROSTAT_CACHE", default))
    return build_image(cache, print, with_agent=True)


def spec() -> MachineSpec:
    load = WorkloadSpec(hot_bytes=100 * MIB, rate=500)
    return MachineSpec(name=GUEST, has_agent_port=True, workload=load)


async def until(condition: Callable[[], bool], *, what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.02)


def test_figures_and_pressure_come_from_a_real_guest(image: GuestImage, tmp_path: Path) -> None:
    async def scenario() -> None:
        events: list[Event] = []
        driver = QmpDriver([str(tmp_path / "*.qmp")], clock=SystemClock())
        async with Machine.start(spec(), image, tmp_path) as machine:
            await machine.wait_booted(BOOT_S)
            await driver.open(events.append)
            try:
                read = await heard(driver)
                assert read.trouble is None
                assert read.pressure is not None
                assert read.pressure.some_total_s is not None
                assert read.pressure.refaults is not None
                assert read.statistics is not None
                # QEMU 7.2 has no key for kills: only the agent can have told.
                assert read.statistics.oom_kills == 0
                await driver.set_target(GUEST, target_bytes=SMALL_BYTES)
                machine.send(f"hot {300 * MIB}")
                await until(lambda: bool(pushed(events)), what=f"pressure: {events}")
                free = pushed(events)[0].free_bytes
                assert free is not None
                assert free < SMALL_BYTES
                assert pushed(events)[0].is_first
            finally:
                await driver.close()

    asyncio.run(scenario())


def test_the_loop_gives_on_pushed_pressure_without_any_new_statistics(
    image: GuestImage, tmp_path: Path
) -> None:
    """With statistics once an hour the guest gets memory all the same, as soon as it waits."""

    async def scenario() -> None:
        spoken = Spoken()
        settings = QmpSettings(statistics_period_s=SELDOM_S)
        loop = Loop(
            driver=QmpDriver([str(tmp_path / "*.qmp")], clock=SystemClock(), settings=settings),
            sensor=ProcHostSensor(),
            clock=SystemClock(),
            params=EngineParams(
                host=HostParams(
                    budget_bytes=SMALL_BYTES + 160 * MIB,
                    burst_reserve=Amount(size_bytes=160 * MIB),
                    burst_reserve_min=Amount(size_bytes=160 * MIB),
                )
            ),
            mode=Mode.ENFORCE,
            journal=spoken,
        )
        async with AsyncExitStack() as stack:
            machine = await stack.enter_async_context(Machine.start(spec(), image, tmp_path))
            await machine.wait_booted(BOOT_S)
            await machine.monitor.execute("balloon", {"value": SMALL_BYTES})
            await until_actual(machine, lambda actual: actual <= SMALL_BYTES)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            tasks.create_task(loop.run())
            stack.callback(loop.request_stop)
            await until(lambda: loop.board.status.rounds > 4, what="rounds")
            machine.send(f"hot {300 * MIB}")
            await until_actual(machine, lambda actual: actual > SMALL_BYTES + 32 * MIB)
            assert any("distress" in words or "short" in words for _, _, words in spoken.changes), (
                spoken.changes
            )

    asyncio.run(scenario())


async def heard(driver: QmpDriver) -> GuestSnapshot:
    """Read until agent and balloon driver have both spoken."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        read = await driver.read_guest(GUEST)
        told = read.statistics is not None and read.statistics.available_bytes is not None
        if read.pressure is not None and told:
            return read
        assert time.monotonic() < deadline_s, f"last read {read}"
        await asyncio.sleep(0.1)


async def until_actual(machine: Machine, condition: Callable[[int], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        answer = await machine.monitor.execute("query-balloon")
        assert isinstance(answer, dict)
        if condition(answer["actual"]):
            return
        assert time.monotonic() < deadline_s, f"it holds {answer}; {machine.health}"
        await asyncio.sleep(0.1)


def pushed(events: list[Event]) -> list[PressurePushed]:
    return [event for event in events if isinstance(event, PressurePushed)]
