"""Two hypervisors on one host: every guest once, every question to whoever has it."""

import asyncio
from dataclasses import replace

import pytest

from aerostat.drivers.several import SeveralDrivers
from aerostat.model.events import Event
from aerostat.model.guest import GuestId
from aerostat.ports.driver import EventSink, HypervisorDriver
from aerostat.ports.errors import AerostatError, GuestGoneError
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.virtual_time import run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from sim.worlds import build


class Unopened(SimulatedDriver):
    """A driver whose hypervisor is not there."""

    async def open(self, _sink: EventSink) -> None:
        raise AerostatError("nobody there")


def two_worlds() -> tuple[World, World]:
    return world_of("ada", "bob"), world_of("bob", "cal")


def world_of(*names: str) -> World:
    return World([spec(name) for name in names])


def spec(name: str) -> GuestSpec:
    return GuestSpec(name=name, build=build(), load=Load(hot_bytes=80 * MIB))


def test_every_guest_is_listed_once_and_asked_where_it_is() -> None:
    async def main() -> None:
        first, second = two_worlds()
        driver: HypervisorDriver = SeveralDrivers([SimulatedDriver(first), SimulatedDriver(second)])
        events: list[Event] = []
        await driver.open(events.append)
        async with asyncio.TaskGroup() as group:
            living = [group.create_task(world.run()) for world in (first, second)]
            await asyncio.sleep(5)
            assert await driver.list_guests() == ("ada", "bob", "cal")
            await driver.set_target(GuestId("bob"), target_bytes=300 * MIB)
            await driver.set_target(GuestId("cal"), target_bytes=200 * MIB)
            await asyncio.sleep(2)
            assert (await driver.read_guest(GuestId("bob"))).actual_bytes == 300 * MIB
            assert (await driver.read_guest(GuestId("cal"))).actual_bytes == 200 * MIB
            assert second.guest("bob").actual_bytes == 512 * MIB
            for task in living:
                task.cancel()

    run_simulated(main())


def test_a_guest_that_two_drivers_claim_says_so() -> None:
    async def main() -> None:
        first, second = two_worlds()
        driver = SeveralDrivers([SimulatedDriver(first), SimulatedDriver(second)])
        await driver.list_guests()
        assert (await driver.read_guest(GuestId("bob"))).trouble == (
            "it is also found by another driver, which leaves it alone"
        )
        ada = await driver.read_guest(GuestId("ada"))
        assert ada.trouble is None
        assert driver.measured(replace(ada, footprint=None)) == ada, "measured by its own driver"
        assert driver.measured(replace(ada, guest=GuestId("dan"), footprint=None)).footprint is None
        with pytest.raises(GuestGoneError):
            await driver.read_guest(GuestId("dan"))

    run_simulated(main())


def test_if_one_cannot_be_opened_none_stays_open() -> None:
    async def main() -> None:
        first, second = two_worlds()
        opened = SimulatedDriver(first)
        events: list[Event] = []
        with pytest.raises(AerostatError, match="nobody there"):
            await SeveralDrivers([opened, Unopened(second)]).open(events.append)
        first.add(spec("eve"))
        assert not events

    run_simulated(main())
