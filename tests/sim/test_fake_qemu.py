"""The third depth: the daemon's loop and the real QMP driver on fake QEMUs, on virtual time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from aerostat.control.loop import Loop
from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId, RunState
from aerostat.model.modes import Mode
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.errors import DriverRefusedError, OutcomeUnknownError
from aerostat.ports.journal import RoundRecord
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.qemu import Machines
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

NAMES = ("ada", "bob", "cleo")
BUDGET_BYTES = 900 * MIB
Story = Callable[[World, QmpDriver, list[Event]], Awaitable[None]]


def tell(story: Story, directory: Path, *, names: tuple[str, ...] = ("ada",)) -> None:
    """Play a story on a world of fake QEMUs with an open driver."""

    async def main() -> None:
        clock = SimClock(asyncio.get_running_loop())
        world = World([GuestSpec(name=name, load=Load(hot_bytes=80 * MIB)) for name in names])
        events: list[Event] = []
        async with Machines(world, directory) as machines:
            living = asyncio.create_task(world.run())
            driver = QmpDriver([machines.pattern], clock=clock, settings=QmpSettings())
            await driver.open(events.append)
            await story(world, driver, events)
            await driver.close()
            living.cancel()

    run_simulated(main())


async def the_guest(driver: QmpDriver) -> GuestId:
    (guest,) = await driver.list_guests()
    return guest


def test_a_guest_is_read_and_moved_through_its_monitor(tmp_path: Path) -> None:
    """By its name and size, its figures once it reports, and its balloon as it moves."""

    async def story(world: World, driver: QmpDriver, events: list[Event]) -> None:
        await asyncio.sleep(5)
        guest = await the_guest(driver)
        read = await driver.read_guest(guest)
        assert (read.name, read.run_state, read.max_bytes) == ("ada", RunState.RUNNING, 512 * MIB)
        assert read.statistics is not None
        now = world.guest("ada").memory().available_bytes
        assert read.statistics.available_bytes == pytest.approx(now, rel=0.01)
        assert read.statistics.age_s < 2.5
        await driver.set_target(guest, target_bytes=300 * MIB)
        await asyncio.sleep(3)
        assert (await driver.read_guest(guest)).actual_bytes == 300 * MIB
        assert BalloonMoved(guest=guest, actual_bytes=300 * MIB) in events

    tell(story, tmp_path)


def test_a_refusal_and_a_lost_reply_are_told_apart(tmp_path: Path) -> None:
    async def story(world: World, driver: QmpDriver, events: list[Event]) -> None:
        del events
        await asyncio.sleep(2)
        guest = await the_guest(driver)
        world.guest("ada").faults.refuses_targets = True
        with pytest.raises(DriverRefusedError):
            await driver.set_target(guest, target_bytes=300 * MIB)
        world.guest("ada").faults.refuses_targets = False
        world.guest("ada").faults.loses_replies = True
        with pytest.raises(OutcomeUnknownError):
            await driver.set_target(guest, target_bytes=280 * MIB)
        assert world.guest("ada").target_bytes == 280 * MIB, "carried out, and nobody knows"

    tell(story, tmp_path)


def test_a_monitor_that_hangs_is_unreachable_until_it_wakes(tmp_path: Path) -> None:
    async def story(world: World, driver: QmpDriver, events: list[Event]) -> None:
        del events
        await asyncio.sleep(2)
        guest = await the_guest(driver)
        world.guest("ada").faults.is_hung = True
        began_s = asyncio.get_running_loop().time()
        assert (await driver.read_guest(guest)).run_state is RunState.UNREACHABLE
        assert asyncio.get_running_loop().time() - began_s < 2.5
        world.guest("ada").faults.is_hung = False
        await asyncio.sleep(1)
        assert (await driver.read_guest(guest)).run_state is RunState.RUNNING

    tell(story, tmp_path)


def test_a_power_button_and_a_backup_are_followed(tmp_path: Path) -> None:
    async def story(world: World, driver: QmpDriver, events: list[Event]) -> None:
        await asyncio.sleep(2)
        guest = await the_guest(driver)
        world.back_up("ada")
        await asyncio.sleep(0.1)
        assert (await driver.read_guest(guest)).is_backing_up
        world.back_up("ada", is_running=False)
        await asyncio.sleep(0.1)
        assert not (await driver.read_guest(guest)).is_backing_up
        world.power_down("ada")
        await asyncio.sleep(0.1)
        assert LifecycleChanged(guest=guest, kind=LifecycleKind.SHUTDOWN_ASKED) in events

    tell(story, tmp_path)


def test_lives_are_followed(tmp_path: Path) -> None:
    """Reset, pause, resume, the end of one guest and the coming of another."""

    async def story(world: World, driver: QmpDriver, events: list[Event]) -> None:
        await asyncio.sleep(2)
        ada = await the_guest(driver)
        world.reset("ada")
        world.pause("ada")
        await asyncio.sleep(0.5)
        assert (await driver.read_guest(ada)).run_state is RunState.PAUSED
        world.resume("ada")
        world.add(GuestSpec(name="bob"))
        await asyncio.sleep(3)
        assert len(await driver.list_guests()) == 2
        world.remove("ada")
        await asyncio.sleep(3)
        assert ada not in await driver.list_guests()
        kinds = [e.kind for e in events if isinstance(e, LifecycleChanged) and e.guest == ada]
        assert kinds == [
            LifecycleKind.APPEARED,
            LifecycleKind.RESET,
            LifecycleKind.PAUSED,
            LifecycleKind.RESUMED,
            LifecycleKind.DISAPPEARED,
        ]

    tell(story, tmp_path)


def test_a_second_client_waits_for_its_greeting(tmp_path: Path) -> None:
    """QEMU serves one client of a monitor; others are taken and hear nothing until it leaves."""

    async def main() -> None:
        world = World([GuestSpec(name="ada")])
        async with Machines(world, tmp_path):
            path = str(tmp_path / "ada.qmp")
            reader, writer = await asyncio.open_unix_connection(path)
            assert b"QMP" in await reader.readline()
            second_reader, second_writer = await asyncio.open_unix_connection(path)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(second_reader.readline(), 5)
            writer.close()
            assert b"QMP" in await asyncio.wait_for(second_reader.readline(), 5)
            second_writer.write(b'{"execute": "x-query-virtio-status", "id": 7}\n')
            answer = json.loads(await second_reader.readline())
            assert answer["id"] == 7
            assert answer["error"]["class"] == "CommandNotFound"
            second_writer.close()

    run_simulated(main())


def test_without_polling_the_figures_are_one_sample_for_ever(tmp_path: Path) -> None:
    async def main() -> None:
        clock = SimClock(asyncio.get_running_loop())
        world = World([GuestSpec(name="ada")])
        async with Machines(world, tmp_path) as machines:
            living = asyncio.create_task(world.run())
            settings = QmpSettings(arm_statistics=False)
            driver = QmpDriver([machines.pattern], clock=clock, settings=settings)
            await driver.open(lambda _: None)
            await asyncio.sleep(3)
            guest = await the_guest(driver)
            await driver.read_guest(guest)
            await asyncio.sleep(60)
            read = await driver.read_guest(guest)
            assert read.statistics is not None
            assert read.statistics.age_s > 59
            await driver.close()
            living.cancel()

    run_simulated(main())


class Forgetful:
    """A journal that keeps nothing."""

    def record(self, record: RoundRecord) -> None:
        del record


async def rotate(minutes: int, sockets: Path | None) -> World:
    """The daemon's loop for some minutes in which the big hot set moves round.

    ``sockets``: where fake QEMUs have theirs, for the real driver; None: the simulated driver.
    """
    clock = SimClock(asyncio.get_running_loop())
    world = World([GuestSpec(name=name, load=Load(hot_bytes=80 * MIB)) for name in NAMES])
    async with AsyncExitStack() as stack:
        driver: HypervisorDriver = SimulatedDriver(world)
        if sockets is not None:
            machines = await stack.enter_async_context(Machines(world, sockets))
            driver = QmpDriver([machines.pattern], clock=clock)
        loop = Loop(
            driver=driver,
            sensor=SimulatedSensor(world.host),
            clock=clock,
            params=EngineParams(host=HostParams(budget_bytes=BUDGET_BYTES)),
            mode=Mode.ENFORCE,
            journal=Forgetful(),
        )
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        living = tasks.create_task(world.run())
        balancing = tasks.create_task(loop.run())
        for turn in range(minutes * 2):
            for name in NAMES:
                big = name == NAMES[turn % len(NAMES)]
                world.guest(name).set_hot((350 if big else 80) * MIB)
            await asyncio.sleep(30)
        assert loop.board.status.failures == 0
        loop.request_stop()
        await balancing
        living.cancel()
    return world


def served(world: World) -> float:
    seconds = [second for guest in world.guests.values() for second in guest.take_seconds()]
    return sum(s.served for s in seconds) / sum(s.offered for s in seconds)


@pytest.mark.slow
def test_one_decision_code_balances_at_both_depths(tmp_path: Path) -> None:
    """Through QMP's own words the loop does what it does through the simulated driver."""
    plain = run_simulated(rotate(3, None))
    through_qmp = run_simulated(rotate(3, tmp_path))
    ratio = served(plain)
    assert ratio > 0.97
    assert served(through_qmp) == pytest.approx(ratio, abs=0.02)
    for world in (plain, through_qmp):
        assert sum(guest.actual_bytes for guest in world.guests.values()) <= BUDGET_BYTES


def test_the_same_run_twice_through_sockets(tmp_path: Path) -> None:
    """Sockets on virtual time are served in order: no real clock, nothing that differs."""
    ends = []
    for turn in ("first", "second"):
        directory = tmp_path / turn
        directory.mkdir()
        world = run_simulated(rotate(1, directory))
        ends.append(
            [(g.name, g.actual_bytes, g.state.swap_out_bytes) for g in world.guests.values()]
        )
    assert ends[0] == ends[1]
