"""Somebody else sets a guest's target: it is told once, and our own moves never are."""

from structlog.testing import capture_logs

from aerostat.daemon.strangers_log import StrangersLog
from aerostat.units import MIB
from builders import Guest, World, params
from recorded_rounds import Recorder


def told(recorder: Recorder, log: StrangersLog, rounds: int) -> list[dict[str, object]]:
    with capture_logs() as lines:
        for record in recorder.rounds(rounds):
            log.show(record)
    return [dict(line) for line in lines if line["event"] == "foreign_target"]


def squeezed() -> Recorder:
    """A guest of which was taken for another, so that it has a target of ours."""
    guests = [
        Guest(name="idle", actual_mib=400, used_mib=100),
        Guest(name="short", actual_mib=200, used_mib=198),
    ]
    return Recorder(world=World(guests=guests, params=params(budget_mib=602)))


def test_moves_of_our_own_are_no_news() -> None:
    recorder = squeezed()
    assert told(recorder, StrangersLog(), 120) == []
    assert (recorder.world.guest("idle").actual_mib or 0) < 400


def test_a_target_of_somebody_else_is_told_once() -> None:
    recorder, log = squeezed(), StrangersLog()
    told(recorder, log, 60)
    idle = recorder.world.guest("idle")
    ours_bytes = (idle.actual_mib or 0) * MIB
    idle.actual_mib = (idle.actual_mib or 0) - 60
    lines = told(recorder, log, 20)
    assert [(line["guest"], line["target_bytes"]) for line in lines] == [("idle", ours_bytes)]
    assert lines[0]["actual_bytes"] == ours_bytes - 60 * MIB
