"""The daemon's loop and the drivers of Cloud Hypervisor and Firecracker on stand-ins."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from aerostat.control.loop import Loop
from aerostat.drivers.cloud_hypervisor import CloudHypervisorDriver
from aerostat.drivers.firecracker import FirecrackerDriver
from aerostat.drivers.sockets import SocketSettings
from aerostat.engine.params import EngineParams, HostParams
from aerostat.model.modes import Mode
from aerostat.ports.driver import HypervisorDriver
from aerostat.sim.cloud_hypervisor import CloudHypervisors
from aerostat.sim.firecracker import Firecrackers
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB
from sim.test_fake_qemu import BUDGET_BYTES, NAMES, Forgetful, rotate, served

NewDriver = Callable[[str, SimClock], HypervisorDriver]


def cloud_hypervisor(pattern: str, clock: SimClock) -> HypervisorDriver:
    return CloudHypervisorDriver([pattern], clock=clock, settings=SocketSettings())


def firecracker(pattern: str, clock: SimClock) -> HypervisorDriver:
    return FirecrackerDriver([pattern], clock=clock, settings=SocketSettings())


async def rotate_through(
    minutes: int,
    directory: Path,
    machines_of: type[CloudHypervisors] | type[Firecrackers],
    new_driver: NewDriver,
) -> World:
    """As ``rotate`` does, with this between the loop and the world."""
    clock = SimClock(asyncio.get_running_loop())
    world = World([GuestSpec(name=name, load=Load(hot_bytes=80 * MIB)) for name in NAMES])
    async with AsyncExitStack() as stack:
        machines = await stack.enter_async_context(machines_of(world, directory))
        loop = Loop(
            driver=new_driver(machines.pattern, clock),
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machines_of", "new_driver"),
    [(CloudHypervisors, cloud_hypervisor), (Firecrackers, firecracker)],
    ids=["ch", "fc"],
)
def test_one_decision_code_balances_through_apis_too(
    machines_of: type[CloudHypervisors] | type[Firecrackers],
    new_driver: NewDriver,
    tmp_path: Path,
) -> None:
    """Through what each calls a balloon the loop does what it does through the simulated driver."""
    plain = run_simulated(rotate(2, None))
    through = run_simulated(rotate_through(2, tmp_path, machines_of, new_driver))
    assert served(through) == pytest.approx(served(plain), abs=0.02)
    assert sum(guest.actual_bytes for guest in through.guests.values()) <= BUDGET_BYTES
