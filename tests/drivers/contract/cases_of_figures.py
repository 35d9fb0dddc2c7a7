"""A figure has a value in bytes, with its age, or is absent with the reason: never made up."""

from dataclasses import fields

from aerostat.model.figures import BalloonStatistics
from aerostat.model.guest import GuestSnapshot, RunState
from aerostat.units import MIB
from drivers.contract.case import Cases
from drivers.contract.rig import Kind, Rig

FIGURES = Cases()
NOT_FIGURES = {"sampled_wall_s", "age_s", "absent"}
NAMES = {field.name for field in fields(BalloonStatistics)} - NOT_FIGURES


def statistics(read: GuestSnapshot) -> BalloonStatistics:
    assert read.statistics is not None, read
    return read.statistics


def has_figures(read: GuestSnapshot) -> bool:
    return read.statistics is not None and read.statistics.available_bytes is not None


@FIGURES
async def reads(rig: Rig) -> None:
    """Figures are the guest's own, in bytes, fresh, and renewed while it runs."""
    ada = await rig.started("ada")
    first = statistics(await rig.until_read(ada, has_figures, "figures come"))
    assert 0 <= first.age_s <= rig.traits.report_s
    assert abs(rig.wall_s() - first.sampled_wall_s) <= 2 * rig.traits.report_s
    assert first.total_bytes is not None
    assert rig.traits.max_bytes // 2 < first.total_bytes <= rig.traits.max_bytes

    async def agrees() -> bool:
        available = statistics(await rig.driver.read_guest(ada)).available_bytes
        truth = await rig.available_bytes("ada")
        return available is not None and abs(available - truth) < 0.1 * truth

    await rig.until(agrees, "what is available is what the guest says")
    await rig.until_read(
        ada, lambda read: statistics(read).sampled_wall_s > first.sampled_wall_s, "a next sample"
    )


@FIGURES
async def absent_figures(rig: Rig) -> None:
    """A figure without a value is None and named with its reason; no driver, no figures."""
    ada = await rig.started("ada")
    told = statistics(await rig.until_read(ada, has_figures, "figures come"))
    missing = {name for name in NAMES if getattr(told, name) is None}
    assert missing == {figure.name for figure in told.absent}

    bob = await rig.started("bob", Kind.NO_DRIVER)
    read = await rig.driver.read_guest(bob)
    assert read.run_state is RunState.RUNNING
    assert read.actual_bytes == rig.traits.max_bytes
    if read.statistics is not None:
        assert {figure.name for figure in read.statistics.absent} == NAMES
        assert all(getattr(read.statistics, name) is None for name in NAMES)


@FIGURES
async def ages(rig: Rig) -> None:
    """The figures of a VM that does not run grow old, and are young again when it does."""
    ada = await rig.started("ada")
    await rig.until_read(ada, has_figures, "figures come")
    await rig.pause("ada")
    old_s = rig.traits.report_s + 1
    await rig.until_read(ada, lambda read: statistics(read).age_s > old_s, "they grow old")
    await rig.resume("ada")
    young_s = rig.traits.report_s
    await rig.until_read(ada, lambda read: statistics(read).age_s < young_s, "they come again")


@FIGURES
async def units(rig: Rig) -> None:
    """A target is the guest's memory in bytes, whatever its hypervisor counts in."""
    ada = await rig.started("ada")
    odd_bytes = 300 * MIB + 3 * MIB // 2 + 1
    await rig.driver.set_target(ada, target_bytes=odd_bytes)
    await rig.until_actual(ada, odd_bytes)
    assert rig.is_at(await rig.actual_bytes("ada"), odd_bytes)
