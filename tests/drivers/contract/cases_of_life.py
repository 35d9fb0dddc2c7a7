"""VMs come and go, pause, reset, migrate, and are always the ones they are taken for."""

import pytest

from aerostat.model.events import LifecycleKind
from aerostat.model.guest import RunState
from aerostat.ports.errors import GuestGoneError
from aerostat.units import MIB
from drivers.contract.case import Cases
from drivers.contract.rig import Rig

LIFE = Cases()


@LIFE
async def appears(rig: Rig) -> None:
    """A VM that starts is listed, told once, and read with its name, its max and its balloon."""
    assert await rig.driver.list_guests() == ()
    ada = await rig.started("ada")
    read = await rig.driver.read_guest(ada)
    assert (read.guest, read.name, read.run_state) == (ada, "ada", RunState.RUNNING)
    assert (read.max_bytes, read.has_balloon) == (rig.traits.max_bytes, True)
    assert read.deflates_on_oom is True, "as every rig starts it"
    bob = await rig.started("bob")
    assert await rig.driver.list_guests() == tuple(sorted((ada, bob)))
    assert rig.told(ada) == [LifecycleKind.APPEARED]


@LIFE
async def disappears(rig: Rig) -> None:
    """A VM that ended is told once, listed no more, and every operation on it says so."""
    ada, bob = await rig.started("ada"), await rig.started("bob")
    await rig.end("ada")

    async def is_alone() -> bool:
        return await rig.driver.list_guests() == (bob,)

    await rig.until(is_alone, "only bob is listed")
    with pytest.raises(GuestGoneError):
        await rig.driver.read_guest(ada)
    with pytest.raises(GuestGoneError):
        await rig.driver.set_target(ada, target_bytes=300 * MIB)
    assert rig.told(ada).count(LifecycleKind.DISAPPEARED) == 1
    assert LifecycleKind.DISAPPEARED not in rig.told(bob)


@LIFE
async def comes_anew(rig: Rig) -> None:
    """A VM of the same name that starts after the first has ended is another one."""
    ada = await rig.started("ada")
    await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await rig.until_actual(ada, 300 * MIB)
    await rig.end("ada")
    await rig.until_told(ada, LifecycleKind.DISAPPEARED)
    again = await rig.started("ada")
    read = await rig.driver.read_guest(again)
    assert read.actual_bytes == rig.traits.max_bytes
    told = rig.told(ada) if again == ada else rig.told(ada) + rig.told(again)
    told = [k for k in told if k in (LifecycleKind.APPEARED, LifecycleKind.DISAPPEARED)]
    assert told == [LifecycleKind.APPEARED, LifecycleKind.DISAPPEARED, LifecycleKind.APPEARED]


@LIFE
async def adopts(rig: Rig) -> None:
    """A daemon that is started anew finds a VM at the target that stands, and moves nothing."""
    ada = await rig.started("ada")
    await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await rig.until_actual(ada, 300 * MIB)
    await rig.reopen()
    assert await rig.met("ada") == ada
    assert rig.is_at((await rig.driver.read_guest(ada)).actual_bytes, 300 * MIB)
    assert rig.is_at(await rig.actual_bytes("ada"), 300 * MIB)


@LIFE
async def pauses(rig: Rig) -> None:
    """A VM that is paused and resumed by somebody else is seen so, and told."""
    ada = await rig.started("ada")
    await rig.pause("ada")
    await rig.until_read(ada, lambda read: read.run_state is RunState.PAUSED, "it is paused")
    await rig.until_told(ada, LifecycleKind.PAUSED)
    await rig.resume("ada")
    await rig.until_read(ada, lambda read: read.run_state is RunState.RUNNING, "it runs")
    await rig.until_told(ada, LifecycleKind.RESUMED)


@LIFE
async def reset(rig: Rig) -> None:
    """A reset is told: the fresh kernel inflates to the target that stands, which can be raised."""
    ada = await rig.started("ada")
    await rig.driver.set_target(ada, target_bytes=300 * MIB)
    await rig.until_actual(ada, 300 * MIB)
    await rig.reset("ada")
    await rig.until_told(ada, LifecycleKind.RESET)
    await rig.until_actual(ada, 300 * MIB)  # nobody has asked for this again
    assert set(rig.told(ada)) == {LifecycleKind.APPEARED, LifecycleKind.RESET}
    await rig.driver.set_target(ada, target_bytes=rig.traits.max_bytes)
    await rig.until_actual(ada, rig.traits.max_bytes)


@LIFE
async def migration(rig: Rig) -> None:
    """A VM that is being migrated or saved is not RUNNING, so nobody moves its memory."""
    ada = await rig.started("ada")
    await rig.begin_migration("ada")
    wanted = rig.traits.state_in_migration
    await rig.until_read(ada, lambda read: read.run_state is wanted, "hands off")
    await rig.end_migration("ada")
    await rig.until_read(ada, lambda read: read.run_state is RunState.RUNNING, "it is back")
    assert LifecycleKind.DISAPPEARED not in rig.told(ada)
