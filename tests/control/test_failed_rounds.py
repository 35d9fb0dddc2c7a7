"""Rounds may fail, the loop may not: it goes on, loses nothing, and lets guests go at the third."""

import asyncio
from dataclasses import replace

import pytest

from aerostat.control.loop import FAILURES_BEFORE_RELEASE
from aerostat.model.events import LifecycleChanged, LifecycleKind, Outcome
from aerostat.model.guest import GuestId
from aerostat.model.modes import Mode
from aerostat.ports.errors import SensorError
from aerostat.ports.journal import RoundRecord
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB
from control.rig import BROKEN, TIGHT, balancing, new_rig

AT_MAX = [512, 512, 512]


def test_two_failed_rounds_release_nobody_and_the_third_releases_all() -> None:
    async def main() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            rig.loop.replace_params(BROKEN)
            await rig.until(lambda: rig.status.failures == FAILURES_BEFORE_RELEASE - 1)
            assert "no policy is called" in (rig.status.failure or "")
            assert sum(rig.targets_mib()) <= 900
            await rig.until(lambda: rig.targets_mib() == AT_MAX, deadline_s=3)
            assert len(rig.status.released) == 3
            assert {answer.outcome for answer in rig.status.released} == {Outcome.ACCEPTED}

    run_simulated(main())


def test_the_loop_goes_on_after_failures_and_balances_again() -> None:
    async def main() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            rig.loop.replace_params(BROKEN)
            await rig.until(lambda: rig.targets_mib() == AT_MAX)
            rig.loop.replace_params(TIGHT)
            await rig.until(lambda: rig.status.failure is None, deadline_s=3)
            await rig.until_squeezed()

    run_simulated(main())


def test_observing_failed_rounds_releases_nobody() -> None:
    async def main() -> None:
        rig = new_rig(mode=Mode.OBSERVE, params=BROKEN)
        rig.world.guest("g0").set_target(300 * MIB)
        async with balancing(rig):
            await rig.until(lambda: rig.status.failures > FAILURES_BEFORE_RELEASE)
        assert rig.sent == []

    run_simulated(main())


def test_what_happened_during_failed_rounds_reaches_the_next_good_one() -> None:
    """Else a guest that was reset meanwhile would be squeezed by its old target while it boots."""

    async def main() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            rig.loop.replace_params(BROKEN)
            await rig.until(lambda: rig.status.failures == 1)
            rounds = rig.status.rounds
            rig.world.reset("g1")
            await rig.until(lambda: rig.status.failures == 2)
            rig.loop.replace_params(TIGHT)
            await rig.until(lambda: rig.status.rounds > rounds)
            reset = LifecycleChanged(guest=GuestId("g1"), kind=LifecycleKind.RESET)
            told = [event for r in rig.rounds.records[rounds:] for event in r.events]
            assert told.count(reset) == 1
            assert rig.rounds.records[rounds].events[-1] == reset

    run_simulated(main())


def test_an_urgent_event_does_not_make_failing_rounds_spin() -> None:
    async def main() -> None:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            rig.driver.fails_listing = RuntimeError("the driver has ended")
            await rig.until(lambda: rig.status.failures == 1)
            rig.world.reset("g1")
            await asyncio.sleep(10)
            in_time = int(10 / TIGHT.round_s) + 2  # the one before, and one cut off at the end
            assert rig.status.failures <= in_time + 1  # one came early, for the reset
            assert "release failed: RuntimeError" in (rig.status.failure or "")
            rig.driver.fails_listing = None
            await rig.until(lambda: rig.status.failure is None, deadline_s=3)

    run_simulated(main())


def test_a_journal_that_fails_stops_no_round_and_releases_nobody() -> None:
    def refuse(record: RoundRecord) -> None:
        raise OSError(f"no room for round {record.number}")

    async def main() -> None:
        rig = new_rig()
        rig.rounds.then = refuse
        async with balancing(rig):
            await rig.until_squeezed()
            assert rig.status.failures == 0
            assert "OSError: no room for round" in (rig.status.journal_trouble or "")
            rig.rounds.then = lambda _record: None
            await rig.until(lambda: rig.status.journal_trouble is None, deadline_s=3)

    run_simulated(main())


def test_a_host_that_cannot_be_read_is_told_and_nothing_is_taken() -> None:
    async def main() -> None:
        rig = new_rig()
        rig.sensor.failure = SensorError("/proc/meminfo", "no MemAvailable")
        async with balancing(rig):
            await asyncio.sleep(30)
            assert rig.status.sensor_trouble == "/proc/meminfo: no MemAvailable"
            assert rig.targets_mib() == AT_MAX
            rig.sensor.failure = None
            await rig.until_squeezed()
            assert rig.statuses[-1].sensor_trouble is None
        assert rig.status.failures == 0

    run_simulated(main())


@pytest.mark.parametrize("round_s", [1.0, 60.0])
def test_a_stop_asked_for_during_a_round_waits_for_no_other(round_s: float) -> None:
    async def main() -> float:
        rig = new_rig(params=replace(TIGHT, round_s=round_s))
        rig.driver.on_read = rig.loop.request_stop
        began_s = asyncio.get_running_loop().time()
        await rig.loop.run()
        assert rig.status.rounds == 1
        return asyncio.get_running_loop().time() - began_s

    assert run_simulated(main()) < 0.5
