"""``aerostat explain``: what it says of guests in plain situations, and how it fails."""

import json
import sqlite3
import time
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from aerostat.cli.explain import explanation
from aerostat.cli.main import app
from aerostat.model.guest import GuestId
from aerostat.ports.journal import RoundRecord
from aerostat.store import StoreError, open_store
from aerostat.story.explanation import explanation_document, explanation_text
from aerostat.story.remembered import UnknownGuestError
from builders import WALL_S, Guest, World
from cli.stories import (
    Story,
    Tell,
    assert_golden,
    db_1_does_not_move,
    db_1_in_distress,
    db_2_does_not_answer,
    db_2_says_nothing,
    db_2_stops_talking,
    measured,
    quiet,
    told,
    web_disappears,
    web_waits,
)
from daemon_process import aerostat
from recorded_rounds import Recorder, remember

pytestmark = pytest.mark.slow  # a process a case

SCHEMA = json.loads(
    resources.files("aerostat.api").joinpath("explain.schema.json").read_text("utf-8")
)


def said(story: Story, vm: str, *, later_s: float = 0.4) -> tuple[str, dict[str, object]]:
    """What is said a little later, in words and as a document that satisfies its schema."""
    with open_store(story.path) as reader:
        known = explanation(reader, vm, since_s=3600.0, now_wall_s=story.end_wall_s + later_s)
    document = explanation_document(known)
    jsonschema.validate(document, SCHEMA)
    return explanation_text(known), document


@pytest.mark.parametrize(
    ("name", "tell", "vm"),
    [
        ("has_enough", measured, "db-1"),
        ("released", db_1_in_distress, "db-1"),
        ("gives", db_1_in_distress, "web"),
        ("waits", web_waits, "web"),
        ("no_figures", db_2_says_nothing, "db-2"),
        ("stale_figures", db_2_stops_talking, "db-2"),
        ("unreachable", db_2_does_not_answer, "db-2"),
        ("stalled", db_1_does_not_move, "db-1"),
    ],
)
def test_a_situation_in_words(tmp_path: Path, name: str, tell: Tell, vm: str) -> None:
    assert_golden(f"explain_{name}.txt", said(told(tmp_path, tell), vm)[0])


def test_an_observing_daemon_has_sent_nothing(tmp_path: Path) -> None:
    story = told(tmp_path, db_1_in_distress, mode="observe")
    words, document = said(story, "web")
    assert_golden("explain_observed.txt", words)
    assert document["why"]["was_enforced"] is False  # type: ignore[index]
    outcomes = [last["outcome"] for last in document["last"]]  # type: ignore[attr-defined]
    assert "not_sent" in outcomes
    assert set(outcomes) <= {"not_sent", "held"}


def test_a_guest_that_is_gone_and_a_daemon_that_is_silent_are_said_to_be(tmp_path: Path) -> None:
    words, document = said(told(tmp_path, web_disappears), "web", later_s=3 * 3600.0)
    assert words.startswith("The daemon last wrote 3.0 h ago: this was so then")
    assert "web is not there any more; it was last seen 3.0 h ago." in words
    assert document["is_old"] is True
    assert document["guest"]["is_gone"] is True  # type: ignore[index]


def test_a_target_says_whether_it_was_reached(tmp_path: Path) -> None:
    _, document = said(told(tmp_path, db_1_in_distress), "db-1")
    (released,) = [m for m in document["last"] if m["reason"] == "released_for_distress"]  # type: ignore[attr-defined]
    assert released["outcome"] == "reached"
    assert released["reached_after_s"] == 0.5
    _, document = said(told(tmp_path / "..", db_1_does_not_move), "db-1")
    outcomes = [m["outcome"] for m in document["last"]]  # type: ignore[attr-defined]
    assert "overtaken" in outcomes, "the target was set back to what it held"


def test_a_vm_is_found_by_name_and_by_id(tmp_path: Path) -> None:
    """Of two of one name, the one that is there is meant; of two that are there, neither."""
    recorder = Recorder(world=World(guests=[Guest(name="old-id")]))

    def renamed(count: int) -> list[RoundRecord]:
        return [
            replace(
                record,
                snapshot=replace(
                    record.snapshot,
                    guests=tuple(replace(g, name="db") for g in record.snapshot.guests),
                ),
                trace=replace(
                    record.trace, guests=tuple(replace(t, name="db") for t in record.trace.guests)
                ),
            )
            for record in recorder.rounds(count, elapse_s=11.0)
        ]

    rounds = renamed(3)
    recorder.world.guests = [Guest(name="new-id")]
    rounds += renamed(10)
    path = tmp_path / "a.db"
    remember(path, rounds)
    with open_store(path) as reader:
        now = recorder.wall_s
        assert explanation(reader, "db", since_s=60, now_wall_s=now).seen.trace.guest == "new-id"
        assert explanation(reader, "old-id", since_s=60, now_wall_s=now).is_gone
    recorder.world.guests = [Guest(name="new-id"), Guest(name="third-id")]
    remember(path, renamed(1))
    with open_store(path) as reader, pytest.raises(UnknownGuestError, match="new-id, third-id"):
        explanation(reader, "db", since_s=60, now_wall_s=recorder.wall_s)


def test_a_vm_is_found_by_its_platforms_number(tmp_path: Path) -> None:
    """Proxmox's VMID, which may be told later than the VM is first seen."""
    recorder = Recorder(world=World(guests=[Guest(name="db"), Guest(name="web")]))

    def numbered(count: int) -> list[RoundRecord]:
        return [
            replace(
                record,
                snapshot=replace(
                    record.snapshot,
                    guests=tuple(
                        replace(g, number="101" if g.name == "web" else "102")
                        for g in record.snapshot.guests
                    ),
                ),
            )
            for record in recorder.rounds(count, elapse_s=11.0)
        ]

    path = tmp_path / "a.db"
    remember(path, [*recorder.rounds(2, elapse_s=11.0), *numbered(2)])
    with open_store(path) as reader:
        now = recorder.wall_s
        assert explanation(reader, "101", since_s=60, now_wall_s=now).seen.snapshot.name == "web"
        with pytest.raises(UnknownGuestError):
            explanation(reader, "103", since_s=60, now_wall_s=now)


def test_an_unknown_vm_names_near_ones_and_those_there_are(tmp_path: Path) -> None:
    story = told(tmp_path, quiet)
    with (
        open_store(story.path) as reader,
        pytest.raises(UnknownGuestError) as caught,
    ):
        explanation(reader, "DB-l", since_s=60, now_wall_s=story.end_wall_s)
    assert str(caught.value).startswith("no VM 'DB-l'; did you mean 'db-")
    assert "known are 'db-1', 'db-2', 'web'" in str(caught.value)
    assert caught.value.exit_status == 1


def test_a_store_without_rounds_says_so(tmp_path: Path) -> None:
    story = told(tmp_path, quiet)
    with sqlite3.connect(story.path) as connection:
        connection.execute("DELETE FROM round")
    connection.close()
    with open_store(story.path) as reader, pytest.raises(StoreError, match="no round has been"):
        explanation(reader, "db-1", since_s=60, now_wall_s=story.end_wall_s)


def test_a_configuration_from_another_version_is_admitted(tmp_path: Path) -> None:
    recorder = Recorder(world=World(guests=[Guest(name="db-1")]))
    remember(tmp_path / "a.db", recorder.rounds(2), configuration='{"from": "the future"}')
    story = Story(path=tmp_path / "a.db", recorder=recorder)
    words, document = said(story, "db-1")
    assert "not known: another version of Aerostat configured this daemon" in words
    assert document["prospects"] == {"sentences": []}


def test_the_verb_prints_both_forms_and_finds_the_configured_store(tmp_path: Path) -> None:
    story = told(tmp_path, quiet, shift_s=time.time() - WALL_S - 1030.0)
    runner = CliRunner()
    table = runner.invoke(app, ["explain", "web", "--store", str(story.path)])
    assert table.exit_code == 0, table.output
    assert table.stdout.startswith("web holds 300 MiB (no target, max 512 MiB")
    config = tmp_path / "with-store.toml"
    config.write_text(f'[store]\npath = "{story.path}"\n')
    found = runner.invoke(app, ["explain", "web", "-c", str(config), "-o", "json"])
    document = json.loads(found.stdout)
    jsonschema.validate(document, SCHEMA)
    assert (document["guest"]["id"], document["is_old"]) == (GuestId("web"), False)


def test_the_verbs_fail_with_a_sentence_and_a_status(tmp_path: Path) -> None:
    story = told(tmp_path, quiet)
    unknown = aerostat("explain", "wbe", "--store", str(story.path))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "did you mean 'web'?" in unknown.stderr
    missing = aerostat("explain", "web", "--store", str(tmp_path / "none.db"))
    assert missing.returncode == 1
    assert "there is no such store" in missing.stderr
    wrong = aerostat("events", "--since", "yesterday", "--store", str(story.path))
    assert wrong.returncode == 2
    assert "is not a duration" in wrong.stderr
    off = tmp_path / "off.toml"
    off.write_text("[store]\nenabled = false\n")
    switched_off = aerostat("events", "-c", str(off))
    assert switched_off.returncode == 3, "neither the daemon nor its store is there"
    assert "no daemon answers" in switched_off.stderr
    assert "switches the store off" in switched_off.stderr


def test_a_name_does_not_drive_the_terminal(tmp_path: Path) -> None:
    recorder = Recorder(world=World(guests=[Guest(name="a\x1b[2Jb")]))
    remember(tmp_path / "a.db", recorder.rounds(2))
    words, _ = said(Story(path=tmp_path / "a.db", recorder=recorder), "a\x1b[2Jb")
    assert "\x1b" not in words


def test_a_daemon_without_effect_is_said_to_be_one(tmp_path: Path) -> None:
    def nothing_moves(recorder: Recorder) -> list[RoundRecord]:
        recorder.world.obeys = False
        for guest in recorder.world.guests:
            guest.actual_mib, guest.used_mib = 400, 100
        return recorder.rounds(200)

    text, document = said(told(tmp_path, nothing_moves), "web")
    assert "the daemon has no effect: " in text
    assert document["daemon"]["effect"] == "orders_move_nothing"  # type: ignore[index] # a table
