"""A target ends accepted, refused or unknown; done is ``actual`` having moved."""

import asyncio
import contextlib

import pytest

from aerostat.model.guest import RunState
from aerostat.ports.errors import DriverRefusedError, OutcomeUnknownError
from aerostat.units import MIB
from drivers.contract.case import Cases
from drivers.contract.rig import Kind, Rig

TARGETS = Cases()


@TARGETS
async def sets(rig: Rig) -> None:
    """A target that was accepted is reached, down and up again."""
    ada = await rig.started("ada")
    await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await rig.until_actual(ada, 300 * MIB)
    assert rig.is_at(await rig.actual_bytes("ada"), 300 * MIB)
    await rig.driver.set_target(ada, target_bytes=rig.traits.max_bytes)
    await rig.until_actual(ada, rig.traits.max_bytes)
    assert await rig.actual_bytes("ada") == rig.traits.max_bytes


@TARGETS
async def refused(rig: Rig) -> None:
    """A hypervisor that says no is heard: the outcome is refused, and nothing has changed."""
    ada = await rig.started("ada", Kind.REFUSING)
    with pytest.raises(DriverRefusedError):
        await rig.driver.set_target(ada, target_bytes=300 * MIB)
    assert (await rig.driver.read_guest(ada)).run_state is RunState.RUNNING
    await asyncio.sleep(rig.traits.settle_s)
    assert await rig.actual_bytes("ada") == rig.traits.max_bytes


@TARGETS
async def absurd_targets(rig: Rig) -> None:
    """A target that would drain the guest, or is above its max, is refused and not sent."""
    ada = await rig.started("ada")
    for target_bytes in (0, -1, 4096, 65 * MIB, rig.traits.max_bytes + MIB):
        with pytest.raises(DriverRefusedError, match="a target of"):
            await rig.driver.set_target(ada, target_bytes=target_bytes)
    await asyncio.sleep(rig.traits.settle_s)
    assert await rig.actual_bytes("ada") == rig.traits.max_bytes


@TARGETS
async def unknown_outcome(rig: Rig) -> None:
    """A target that got no answer is neither done nor failed: the next reading tells."""
    ada = await rig.started("ada")
    await rig.lose_replies("ada")
    with pytest.raises(OutcomeUnknownError):
        await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await rig.keep_replies("ada")
    read = await rig.until_actual(ada, 300 * MIB)
    assert read.run_state is RunState.RUNNING


@TARGETS
async def stalled(rig: Rig) -> None:
    """A balloon that is stuck takes a target and stays: `actual` says so, until it moves."""
    ada = await rig.started("ada")
    await rig.stall("ada")
    await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await asyncio.sleep(rig.traits.settle_s)
    read = await rig.driver.read_guest(ada)
    assert (read.run_state, read.actual_bytes) == (RunState.RUNNING, rig.traits.max_bytes)
    await rig.unstall("ada")
    await rig.until_actual(ada, 300 * MIB)


@TARGETS
async def without_a_driver(rig: Rig) -> None:
    """A guest without a balloon driver moves nothing, and reading it says that it holds its max."""
    ada = await rig.started("ada", Kind.NO_DRIVER)
    # Most hypervisors take it, some say no: either is well, but for moving.
    with contextlib.suppress(DriverRefusedError):
        await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await asyncio.sleep(rig.traits.settle_s)
    assert (await rig.driver.read_guest(ada)).actual_bytes == rig.traits.max_bytes
