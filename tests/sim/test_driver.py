import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from aerostat.model.events import Event, LifecycleChanged
from aerostat.model.figures import Absence
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.ports.clock import Clock
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.errors import (
    DriverError,
    DriverRefusedError,
    DriverUnavailableError,
    GuestGoneError,
    OutcomeUnknownError,
)
from aerostat.ports.sensor import HostSensor
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.faults import Faults
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from sim.worlds import world_of_one

VM = GuestId("vm")
Play = Callable[[World, SimulatedDriver], Awaitable[None]]


def played(play: Play, *, hot_mib: int = 80) -> World:
    """Run a play on virtual time, the world living beside it."""

    async def main() -> World:
        world = world_of_one(hot_mib=hot_mib)
        driver = SimulatedDriver(world)
        async with asyncio.TaskGroup() as group:
            living = group.create_task(world.run())
            await asyncio.sleep(5)
            await play(world, driver)
            living.cancel()
        return world

    return run_simulated(main())


def elapsed_s(began_s: float) -> float:
    return asyncio.get_running_loop().time() - began_s


def test_the_simulation_fits_the_ports() -> None:
    """mypy checks the assignments; the loop takes nothing else."""

    async def main() -> None:
        world = world_of_one()
        driver: HypervisorDriver = SimulatedDriver(world)
        sensor: HostSensor = SimulatedSensor(world.host)
        clock: Clock = SimClock(asyncio.get_running_loop())
        assert await driver.list_guests() == (VM,)
        assert sensor.read().total_bytes > 0
        assert clock.wall_s() > clock.now_s()

    run_simulated(main())


def test_a_target_is_accepted_then_reached() -> None:
    """Accepted is not done: done is actual having moved."""

    async def play(_world: World, driver: SimulatedDriver) -> None:
        await driver.set_target(VM, target_bytes=200 * MIB)
        assert (await driver.read_guest(VM)).actual_bytes == 512 * MIB
        await asyncio.sleep(1)
        snapshot = await driver.read_guest(VM)
        assert snapshot.actual_bytes == 200 * MIB
        assert (snapshot.name, snapshot.run_state) == ("vm", RunState.RUNNING)
        assert (snapshot.max_bytes, snapshot.has_balloon) == (512 * MIB, True)
        assert snapshot.footprint is not None
        assert snapshot.footprint.held_bytes is not None
        assert snapshot.footprint.held_bytes <= (200 + 75) * MIB

    played(play)


def test_statistics_come_with_their_age_and_say_what_is_absent() -> None:
    """As QEMU 7.2 has them: no kills, no stalls."""

    async def play(_world: World, driver: SimulatedDriver) -> None:
        statistics = (await driver.read_guest(VM)).statistics
        assert statistics is not None
        assert statistics.available_bytes is not None
        assert statistics.swap_in_bytes == 0
        assert 0 <= statistics.age_s < 2.1
        absent = {figure.name: figure.why for figure in statistics.absent}
        assert absent == {
            "oom_kills": Absence.NOT_REPORTED,
            "alloc_stalls": Absence.NOT_REPORTED,
        }

    played(play)


def test_a_hung_guest_is_unreachable_in_time_and_delays_nobody() -> None:
    """One hung VM must not stall the others, and a command to it has an unknown outcome."""

    async def play(world: World, driver: SimulatedDriver) -> None:
        world.add(GuestSpec(name="other"))
        world.guest("vm").faults.is_hung = True
        began_s = asyncio.get_running_loop().time()
        assert (await driver.read_guest(GuestId("other"))).run_state is RunState.RUNNING
        assert elapsed_s(began_s) < 0.01
        snapshot = await driver.read_guest(VM)
        assert elapsed_s(began_s) == pytest.approx(1.0, abs=0.01)
        assert snapshot.run_state is RunState.UNREACHABLE
        assert snapshot.actual_bytes is None
        assert snapshot.trouble == "no answer within 1 s"
        with pytest.raises(OutcomeUnknownError):
            await driver.set_target(VM, target_bytes=200 * MIB)
        world.guest("vm").faults.is_hung = False
        await asyncio.sleep(2)
        assert (await driver.read_guest(VM)).actual_bytes == 512 * MIB

    played(play)


def test_operations_behind_a_hung_one_end_within_their_own_deadline() -> None:
    """Nothing was sent for them, and they say so."""

    async def play(world: World, driver: SimulatedDriver) -> None:
        world.guest("vm").faults.is_hung = True
        began_s = asyncio.get_running_loop().time()
        errors: list[DriverError] = []

        async def send() -> None:
            try:
                await driver.set_target(VM, target_bytes=200 * MIB)
            except DriverError as error:
                errors.append(error)

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            group.create_task(send())
        assert elapsed_s(began_s) == pytest.approx(1.0, abs=0.01)
        assert {type(error) for error in errors} == {OutcomeUnknownError, DriverUnavailableError}

    played(play)


@pytest.mark.parametrize(
    ("faults", "error", "reached_mib"),
    [
        (Faults(refuses_targets=True), DriverRefusedError, 512),
        (Faults(loses_replies=True), OutcomeUnknownError, 200),
        (Faults(is_unavailable=True), DriverUnavailableError, 512),
    ],
)
def test_each_outcome_of_a_command_has_its_own_error(
    faults: Faults, error: type[DriverError], reached_mib: int
) -> None:
    """No answer is not failure: a lost reply may well have been carried out."""

    async def play(world: World, driver: SimulatedDriver) -> None:
        world.guest("vm").faults = faults
        with pytest.raises(error) as caught:
            await driver.set_target(VM, target_bytes=200 * MIB)
        assert (caught.value.guest, caught.value.operation) == (VM, "set_target")
        await asyncio.sleep(2)
        world.guest("vm").faults = Faults()
        assert (await driver.read_guest(VM)).actual_bytes == reached_mib * MIB

    played(play)


def test_a_stalled_balloon_accepts_and_does_not_move() -> None:
    """Only actual tells; when the stall ends the target is reached."""

    async def play(world: World, driver: SimulatedDriver) -> None:
        world.guest("vm").faults.is_stalled = True
        await driver.set_target(VM, target_bytes=200 * MIB)
        await asyncio.sleep(10)
        assert (await driver.read_guest(VM)).actual_bytes == 512 * MIB
        world.guest("vm").faults.is_stalled = False
        await asyncio.sleep(2)
        assert (await driver.read_guest(VM)).actual_bytes == 200 * MIB

    played(play)


def test_a_guest_without_driver_succeeds_silently_and_never_reports() -> None:
    """Lab: `balloon` and polling succeed, actual stays, statistics are unset, last-update is 0."""

    async def main() -> GuestSnapshot:
        world = world_of_one()
        world.guest("vm").faults.has_driver = False
        driver = SimulatedDriver(world)
        async with asyncio.TaskGroup() as group:
            living = group.create_task(world.run())
            await driver.set_target(VM, target_bytes=200 * MIB)
            await asyncio.sleep(10)
            living.cancel()
        return await driver.read_guest(VM)

    snapshot = run_simulated(main())
    assert snapshot.actual_bytes == 512 * MIB
    assert snapshot.statistics is not None
    assert snapshot.statistics.sampled_wall_s == 0
    assert snapshot.statistics.available_bytes is None
    assert {figure.why for figure in snapshot.statistics.absent} == {Absence.NEVER_SAMPLED}


def test_statistics_can_freeze_be_absent_or_lie() -> None:
    """Guest figures are untrusted, optional and old."""

    async def play(world: World, driver: SimulatedDriver) -> None:
        guest = world.guest("vm")
        honest = (await driver.read_guest(VM)).statistics
        guest.faults.has_frozen_statistics = True
        await asyncio.sleep(20)
        frozen = (await driver.read_guest(VM)).statistics
        assert honest is not None
        assert frozen is not None
        assert replace(frozen, age_s=honest.age_s) == honest
        assert frozen.age_s >= 20

        guest.faults = Faults(absent_figures=frozenset({"available_bytes"}))
        await asyncio.sleep(2)
        partial = (await driver.read_guest(VM)).statistics
        assert partial is not None
        assert partial.available_bytes is None
        assert partial.free_bytes is not None
        assert "available_bytes" in {figure.name for figure in partial.absent}

        guest.faults = Faults(claimed_available_ratio=0.9)
        guest.set_hot(350 * MIB)
        await asyncio.sleep(20)
        lie = (await driver.read_guest(VM)).statistics
        assert lie is not None
        assert lie.available_bytes is not None
        assert lie.available_bytes > 400 * MIB
        assert guest.memory().available_bytes < 120 * MIB

    played(play)


def test_the_wall_clock_may_jump_and_ages_stay_above_zero() -> None:
    """Set back, a sample seems to come from the future; its age is never negative."""

    async def play(world: World, driver: SimulatedDriver) -> None:
        world.jump_wall(-3600)
        statistics = (await driver.read_guest(VM)).statistics
        assert statistics is not None
        assert statistics.age_s == 0
        world.jump_wall(7200)
        statistics = (await driver.read_guest(VM)).statistics
        assert statistics is not None
        assert statistics.age_s > 3500

    played(play)


def test_a_guest_that_is_gone_is_an_error_even_in_mid_operation() -> None:
    """It was there when it was asked, and is not when it should answer."""

    async def play(world: World, driver: SimulatedDriver) -> None:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_gone(driver.read_guest(VM)))
            sending = group.create_task(_gone(driver.set_target(VM, target_bytes=200 * MIB)))
            await asyncio.sleep(0.0001)
            world.remove("vm")
        assert reading.result()
        assert sending.result()
        assert await driver.list_guests() == ()
        with pytest.raises(GuestGoneError):
            await driver.read_guest(VM)

    played(play)


async def _gone(operation: Awaitable[object]) -> bool:
    try:
        await operation
    except GuestGoneError:
        return True
    return False


def test_events_reach_the_sink_until_the_driver_is_closed() -> None:
    """A closed driver keeps nobody awake, and leaves targets as they are."""
    heard: list[Event] = []

    async def play(world: World, driver: SimulatedDriver) -> None:
        await driver.open(heard.append)
        world.pause("vm")
        world.resume("vm")
        await driver.set_target(VM, target_bytes=300 * MIB)
        await driver.close()
        world.pause("vm")

    world = played(play)
    assert [type(event) for event in heard] == [LifecycleChanged, LifecycleChanged]
    assert world.guest("vm").target_bytes == 300 * MIB
