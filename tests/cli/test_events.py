"""``aerostat events``: everything that happened, in order, in both forms."""

import contextlib
import json
import sqlite3
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from aerostat.cli.main import app
from aerostat.model.effect import Effect
from aerostat.model.events import (
    BalloonMoved,
    Command,
    LifecycleChanged,
    LifecycleKind,
    MemoryReserved,
    OperatorCommanded,
    Outcome,
    PressurePushed,
    PressureTrigger,
    TargetAnswered,
    TargetReplaced,
    TechniqueAct,
    TechniqueUsed,
)
from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep
from aerostat.ports.journal import RoundRecord
from aerostat.store import open_store
from aerostat.story.happenings import lines_of, lines_text
from cli.stories import Story, db_1_in_distress, told
from recorded_rounds import Recorder

SCHEMA = json.loads(
    resources.files("aerostat.api").joinpath("events.schema.json").read_text("utf-8")
)


def everything(recorder: Recorder) -> list[RoundRecord]:
    """One of each kind."""
    rounds = recorder.rounds(10)
    web = GuestId("web")
    recorder.happened = [
        LifecycleChanged(guest=web, kind=LifecycleKind.RESET),
        BalloonMoved(guest=web, actual_bytes=310 << 20),
        TargetAnswered(
            guest=web, target_bytes=320 << 20, outcome=Outcome.REFUSED, detail="not now"
        ),
        TargetAnswered(guest=web, target_bytes=330 << 20, outcome=Outcome.UNKNOWN),
        TargetReplaced(guest=web, held_bytes=400 << 20, actual_bytes=330 << 20, for_s=300.0),
        MemoryReserved(guest=GuestId("to-be"), size_bytes=64 << 20, for_s=60.0),
        OperatorCommanded(guest=web, command=Command.HOLD, who="root", detail="hold web"),
        TechniqueUsed(
            guest=web,
            step=LadderStep.SWAP,
            act=TechniqueAct.TOOK,
            asked_bytes=8 << 20,
            taken_bytes=-4096,
            took_s=0.5,
        ),
        PressurePushed(guest=web, trigger=PressureTrigger.FULL, free_bytes=7 << 20, is_first=True),
    ]
    return rounds + db_1_in_distress(recorder)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return told(tmp_path, everything)


def shown(story: Story, *options: str) -> dict[str, object]:
    arguments = ["events", "--since", "3000d", "--store", str(story.path), "-o", "json", *options]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert isinstance(document, dict)
    return document


def events_of(document: dict[str, object]) -> list[dict[str, object]]:
    events = document["events"]
    assert isinstance(events, list)
    return events


def test_all_kinds_are_there_newest_last(story: Story) -> None:
    events = events_of(shown(story))
    kinds = [event["kind"] for event in events]
    assert set(kinds) == {
        "started",
        "lifecycle",
        "balloon_moved",
        "answered",
        "foreign_target",
        "reserved",
        "command",
        "technique",
        "pressure",
        "target",
        "hold",
    }
    assert kinds[0] == "started"
    moments = [str(event["at"]) for event in events]
    assert moments == sorted(moments)


def test_only_one_vm_is_shown_where_one_is_named(story: Story) -> None:
    events = events_of(shown(story, "--vm", "web"))
    assert {event.get("name") for event in events if event["kind"] != "started"} == {"web"}
    assert {"lifecycle", "answered", "target"} <= {event["kind"] for event in events}


def test_only_the_time_asked_for_is_shown(story: Story) -> None:
    with open_store(story.path) as reader:
        lines = lines_of(
            reader,
            reader.guests(),
            only=None,
            since_wall_s=story.end_wall_s - 5.0,
            until_wall_s=story.end_wall_s,
        )
    assert lines
    assert all(line.wall_s >= story.end_wall_s - 5.0 for line in lines)
    assert "started" not in {line.kind for line in lines}


def test_people_see_what_is_no_routine_a_line_each(story: Story) -> None:
    with open_store(story.path) as reader:
        lines = lines_of(
            reader, reader.guests(), only=None, since_wall_s=0.0, until_wall_s=story.end_wall_s
        )
    text = lines_text(lines)
    assert any(line.is_routine for line in lines), "answers that took a target are in the document"
    assert "accepted" not in text
    assert "target 320 MiB: refused: not now" in text
    assert "target 330 MiB: no answer came" in text
    assert "web     lifecycle      it was reset" in text
    assert "to-be   reserved       64 MiB are kept for it for 60 s" in text
    assert "released: it is short of memory" in text
    assert len(text.splitlines()) == sum(not line.is_routine for line in lines)


def test_an_old_store_is_said_to_be_old_and_a_quiet_time_quiet(story: Story) -> None:
    done = CliRunner().invoke(app, ["events", "--since", "1m", "--store", str(story.path)])
    assert done.exit_code == 0
    first, second = done.stdout.splitlines()
    assert first.startswith("The daemon last wrote")
    assert second == "nothing happened in the last 1m"


def nothing_moves(recorder: Recorder) -> list[RoundRecord]:
    """The balloons stand still, then they move."""
    recorder.world.obeys = False
    rounds = recorder.rounds(10)
    for guest in recorder.world.guests:
        guest.actual_mib, guest.used_mib = 400, 100
    rounds += recorder.rounds(240)
    recorder.world.guest("web").actual_mib = 300
    return rounds + recorder.rounds(4)


def test_a_daemon_without_effect_is_told_with_what_to_check(tmp_path: Path) -> None:
    story = told(tmp_path, nothing_moves)
    found = [line for line in events_of(shown(story)) if line["kind"] == "self_check"]
    assert [line["effect"] for line in found] == ["orders_move_nothing", "working"]
    assert "aerostat doctor" in str(found[0]["words"])
    assert "id" not in found[0]


def test_an_older_store_knows_nothing_of_effects(story: Story) -> None:
    with contextlib.closing(sqlite3.connect(story.path)) as connection:
        connection.execute("ALTER TABLE round DROP COLUMN effect")
        connection.commit()
    assert shown(story)["events"]


def test_the_schema_has_every_code() -> None:
    event = SCHEMA["properties"]["events"]["items"]["properties"]
    assert set(event["change"]["enum"]) == {kind.value for kind in LifecycleKind}
    assert set(event["effect"]["enum"]) == {effect.value for effect in Effect}
    assert set(event["outcome"]["enum"]) >= {outcome.value for outcome in Outcome}
