"""What the loop releases outside of its rounds is remembered like everything else it does."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from aerostat.model.modes import OnStop
from aerostat.model.reasons import Reason
from aerostat.ports.errors import DriverRefusedError
from aerostat.sim.virtual_time import run_simulated
from aerostat.store import open_store
from aerostat.story.happenings import Line, lines_of
from aerostat.units import MIB
from control.rig import BROKEN, NAMES, TIGHT, Rig, balancing, new_rig
from recorded_rounds import remember


def stopped(spoil: Callable[[Rig], None] = lambda _rig: None) -> Rig:
    async def main() -> Rig:
        async with balancing(new_rig(), OnStop.RELEASE) as rig:
            await rig.until_squeezed()
            spoil(rig)
        return rig

    return run_simulated(main())


def told_lines(rig: Rig, folder: Path, reason: Reason) -> dict[str, Line]:
    """What ``aerostat events`` says of a release, by guest."""
    path = folder / "aerostat.db"
    remember(path, rig.rounds.records)
    with open_store(path) as reader:
        lines = lines_of(
            reader, reader.guests(), only=None, since_wall_s=0.0, until_wall_s=float("inf")
        )
    targets = [line for line in lines if line.kind == "target"]
    return {str(line.name): line for line in targets if line.more["reason"] == reason.value}


def test_a_release_on_stop_is_told_with_what_came_of_it(tmp_path: Path) -> None:
    lines = told_lines(stopped(), tmp_path, Reason.RELEASED_ON_STOP)
    assert set(lines) == set(NAMES)
    for line in lines.values():
        assert line.more["target_bytes"] == 512 * MIB
        assert line.more["outcome"] == "reached"
        assert "the daemon stops" in line.words
        assert "reached after" in line.words


def test_a_balloon_that_did_not_move_by_the_end_is_told_so(tmp_path: Path) -> None:
    def stall(rig: Rig) -> None:
        rig.world.guest("g0").faults.is_stalled = True

    line = told_lines(stopped(stall), tmp_path, Reason.RELEASED_ON_STOP)["g0"]
    assert line.more["outcome"] == "on_its_way"
    assert "not reached yet: it is at" in line.words


def test_who_refused_to_be_released_is_told(tmp_path: Path) -> None:
    def refuse(rig: Rig) -> None:
        rig.driver.fails_sending = DriverRefusedError(rig.world.guest("g0").guest, "x", "not now")

    rig = stopped(refuse)
    told_lines(rig, tmp_path, Reason.RELEASED_ON_STOP)
    with open_store(tmp_path / "aerostat.db") as reader:
        happened = reader.events(since_wall_s=0.0, until_wall_s=float("inf"))
    refused = [h.name for h in happened if getattr(h.event, "detail", "") == "not now"]
    assert sorted(refused) == list(NAMES)


def test_a_release_after_failed_rounds_is_told_once_however_long_they_fail(tmp_path: Path) -> None:
    async def main() -> Rig:
        async with balancing(new_rig()) as rig:
            await rig.until_squeezed()
            rig.loop.replace_params(BROKEN)
            await rig.until(lambda: rig.targets_mib() == [512, 512, 512])
            remembered = rig.status.rounds
            await asyncio.sleep(10)
            assert rig.status.rounds <= remembered + 2
            assert len(rig.status.released) == 3
            rig.loop.replace_params(TIGHT)
            await rig.until(lambda: rig.status.failure is None, deadline_s=3)
        return rig

    lines = told_lines(run_simulated(main()), tmp_path, Reason.RELEASED_ON_FAILURES)
    assert set(lines) == set(NAMES)
    assert {line.more["outcome"] for line in lines.values()} == {"reached"}
    assert all("failed again and again" in line.words for line in lines.values())


def test_a_release_that_cannot_be_written_down_is_made_all_the_same() -> None:
    def refuse(rig: Rig) -> None:
        def no_room(_record: object) -> None:
            raise OSError("no room")

        rig.rounds.then = no_room

    rig = stopped(refuse)
    assert rig.targets_mib() == [512, 512, 512]
    assert "no room" in (rig.status.journal_trouble or "")
