"""A target that somebody else has set is a warning in the log, and a line of `aerostat events`."""

from pathlib import Path

from structlog.testing import capture_logs

from aerostat.daemon.journal import LogJournal
from aerostat.model.modes import Mode
from aerostat.store.reader import open_store
from aerostat.story.happenings import lines_of
from aerostat.units import MIB
from builders import Guest, World, params
from recorded_rounds import Recorder, remember


def test_it_is_told_and_kept(tmp_path: Path) -> None:
    world = World(guests=[Guest(name="vm", actual_mib=512)], params=params(budget_mib=None))
    recorder, journal = Recorder(world=world), LogJournal(Mode.ENFORCE)
    records = recorder.rounds(20)
    world.guest("vm").actual_mib = 400
    records.append(recorder.round())
    assert world.last is not None
    recorder.happened = list(world.last.found)  # as the loop hands it to the next round
    records += recorder.rounds(3)
    with capture_logs() as lines:
        for record in records:
            journal.record(record)
    (line,) = [line for line in lines if line["event"] == "foreign_target"]
    assert line["log_level"] == "warning"
    assert (line["guest"], line["held_bytes"], line["actual_bytes"]) == (
        "vm",
        512 * MIB,
        400 * MIB,
    )
    remember(tmp_path / "store", records)
    with open_store(tmp_path / "store") as reader:
        told = lines_of(
            reader, reader.guests(), only=None, since_wall_s=0, until_wall_s=recorder.wall_s + 1
        )
    (event,) = [line for line in told if line.kind == "foreign_target"]
    assert "target: 512 MiB -> 400 MiB; it is left to them for 5 min" in event.words
    assert event.more["held_bytes"] == 512 * MIB
