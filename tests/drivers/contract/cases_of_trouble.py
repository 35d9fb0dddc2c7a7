"""A VM that hangs costs its own operations their deadline, and nobody else anything."""

import asyncio

import pytest

from aerostat.model.events import LifecycleKind
from aerostat.model.guest import GuestId, RunState
from aerostat.ports.errors import DriverUnavailableError, OutcomeUnknownError
from aerostat.units import MIB
from drivers.contract.case import Cases
from drivers.contract.rig import Rig

TROUBLE = Cases()


async def read_state(rig: Rig, guest: GuestId) -> tuple[RunState, float]:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    read = await rig.driver.read_guest(guest)
    assert read.trouble is not None or read.run_state is RunState.RUNNING
    return read.run_state, loop.time() - began_s


@TROUBLE
async def timeout(rig: Rig) -> None:
    """A VM that hangs is UNREACHABLE within the deadline, in words; others are read meanwhile."""
    ada, bob = await rig.started("ada"), await rig.started("bob")
    await rig.hang("ada")
    deadline_s = rig.traits.deadline_s
    await asyncio.sleep(rig.traits.notice_s)
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(read_state(rig, ada))
        quick = group.create_task(read_state(rig, bob))
    assert slow.result()[0] is RunState.UNREACHABLE
    assert slow.result()[1] < 2 * deadline_s
    assert quick.result()[0] is RunState.RUNNING
    assert quick.result()[1] < deadline_s
    with pytest.raises((OutcomeUnknownError, DriverUnavailableError)):
        await rig.driver.set_target(ada, target_bytes=300 * MIB)
    assert set(await rig.driver.list_guests()) == {ada, bob}
    await rig.wake("ada")
    await rig.until_read(ada, lambda read: read.run_state is RunState.RUNNING, "it answers again")
    assert LifecycleKind.DISAPPEARED not in rig.told(ada)


@TROUBLE
async def reconnect(rig: Rig) -> None:
    """A connection that breaks is made again: the same VM, at its target, and nothing is told."""
    ada = await rig.started("ada")
    await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await rig.until_actual(ada, 300 * MIB)
    before = rig.told(ada)
    await rig.cut("ada")
    read = await rig.until_actual(ada, 300 * MIB)
    assert read.run_state is RunState.RUNNING
    assert rig.told(ada) == before
    await rig.driver.set_target(ada, target_bytes=400 * MIB)
    await rig.until_actual(ada, 400 * MIB)


@TROUBLE
async def closes(rig: Rig) -> None:
    """Closing lets go at once, though a VM hangs, and leaves targets as they are."""
    await rig.started("ada")
    bob = await rig.started("bob")
    await rig.driver.set_target(bob, target_bytes=300 * MIB)
    await rig.until_actual(bob, 300 * MIB)
    await rig.hang("ada")
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await rig.driver.close()
    assert loop.time() - began_s < 2 * rig.traits.deadline_s
    await rig.wake("ada")
    await asyncio.sleep(rig.traits.settle_s)
    assert rig.is_at(await rig.actual_bytes("bob"), 300 * MIB)
    assert await rig.actual_bytes("ada") == rig.traits.max_bytes
