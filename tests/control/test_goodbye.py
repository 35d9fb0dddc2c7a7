"""Stopping: leave targets as they are, or give the memory back, also what was taken just now."""

import asyncio

from aerostat.model.events import Outcome
from aerostat.model.modes import Mode, OnStop
from aerostat.ports.journal import RoundRecord
from aerostat.sim.virtual_time import run_simulated
from aerostat.units import MIB
from control.rig import Rig, balancing, new_rig

AT_MAX = [512, 512, 512]


def stopped_after_squeeze(on_stop: OnStop) -> tuple[Rig, list[int]]:
    async def main() -> tuple[Rig, list[int]]:
        async with balancing(new_rig(), on_stop) as rig:
            await rig.until_squeezed()
            before = rig.targets_mib()
        return rig, before

    return run_simulated(main())


def test_leave_leaves_every_target() -> None:
    rig, before = stopped_after_squeeze(OnStop.LEAVE)
    assert sum(before) <= 900
    assert rig.targets_mib() == before


def test_release_gives_the_memory_back_and_tells_the_answers() -> None:
    rig, _before = stopped_after_squeeze(OnStop.RELEASE)
    assert rig.targets_mib() == AT_MAX
    assert [answer.outcome for answer in rig.status.released] == [Outcome.ACCEPTED] * 3


def test_release_undoes_a_take_whose_answer_no_round_has_seen_yet() -> None:
    async def main() -> Rig:
        rig = new_rig()

        def stop_at_first_take(record: RoundRecord) -> None:
            if record.plan.changes:
                rig.loop.request_stop()

        rig.rounds.then = stop_at_first_take
        async with balancing(rig, OnStop.RELEASE):
            await rig.until(lambda: len(rig.sent) > 0)
        return rig

    rig = run_simulated(main())
    assert any(command.target_bytes < 512 * MIB for command in rig.sent)
    assert rig.targets_mib() == AT_MAX


def test_release_passes_over_a_guest_that_hangs_and_soon_ends() -> None:
    async def main() -> tuple[Rig, float]:
        async with balancing(new_rig(), OnStop.RELEASE) as rig:
            await rig.until_squeezed()
            squeezed_mib = rig.targets_mib()[0]
            rig.world.guest("g0").faults.is_hung = True
            await asyncio.sleep(10)
            stopping_s = asyncio.get_running_loop().time()
        assert rig.targets_mib() == [squeezed_mib, 512, 512]
        return rig, asyncio.get_running_loop().time() - stopping_s

    rig, took_s = run_simulated(main())
    assert took_s < 2
    assert {answer.guest for answer in rig.status.released} == {"g1", "g2"}


def test_release_of_a_daemon_that_only_recommends_touches_nothing() -> None:
    async def main() -> Rig:
        rig = new_rig(mode=Mode.RECOMMEND)
        rig.world.guest("g0").set_target(300 * MIB)  # by somebody else
        async with balancing(rig, OnStop.RELEASE):
            await asyncio.sleep(10)
        return rig

    rig = run_simulated(main())
    assert rig.sent == []
    assert rig.targets_mib() == [300, 512, 512]
