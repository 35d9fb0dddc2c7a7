"""Logs hold up no work, and say each thing once when it begins and once when it is over."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from structlog.testing import capture_logs

from aerostat.control.board import Status
from aerostat.daemon.journal import LogJournal
from aerostat.daemon.log_writer import LINES_MAX, LogWriter
from aerostat.daemon.status_log import StatusLog
from aerostat.model.events import Outcome, TargetAnswered
from aerostat.model.guest import GuestId, RunState
from aerostat.model.host import HostSnapshot
from aerostat.model.modes import Mode
from aerostat.ports.journal import RoundRecord
from builders import Guest, World, params

WIDE_BYTES = 70_000
"""More than a pipe holds: whoever writes this waits for a reader."""


@contextmanager
def pipe() -> Iterator[tuple[TextIO, TextIO]]:
    """A pipe as text files: to read from, to write to."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as reader, os.fdopen(write_end, "w") as writer:
        yield reader, writer


def test_lines_arrive_whole_and_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as out, LogWriter(out) as writer:
        for number in range(LINES_MAX // 2):
            assert writer.write(f"line {number}\n") == len(f"line {number}\n")
    assert log.read_text().splitlines() == [f"line {n}" for n in range(LINES_MAX // 2)]


def test_a_reader_who_stalls_stalls_nobody_and_is_told_what_he_missed() -> None:
    with pipe() as (reader, out), LogWriter(out) as writer:
        for _ in range(LINES_MAX + 50):
            writer.write("x" * WIDE_BYTES + "\n")  # returns, though nobody reads
        first = reader.readline()
        assert len(first) == WIDE_BYTES + 1
        lines = (reader.readline() for _ in range(LINES_MAX + 1))
        told = next(line for line in lines if "log_lines_dropped" in line)
        assert json.loads(told)["lines"] >= 40
        reader.close()  # nobody reads the rest: the writer ends at once


def test_a_reader_who_goes_away_ends_nothing() -> None:
    with pipe() as (reader, out), LogWriter(out) as writer:
        reader.close()
        for _ in range(10):
            writer.write("nobody hears this\n")


class Play:
    """Rounds of a world, told to a journal; keeps what it logged."""

    def __init__(self, mode: Mode, *guests: Guest, grace_s: float = 0.0) -> None:
        self.world = World(guests=list(guests), params=params(grace_s=grace_s), obeys=False)
        self._mode = mode
        self._journal = LogJournal(mode)

    def rounds(self, count: int = 1, *, trouble: str | None = None) -> list[Any]:
        with capture_logs() as lines:
            for _ in range(count):
                self._journal.record(self._record(trouble))
        return list(lines)

    def _record(self, trouble: str | None) -> RoundRecord:
        step = self.world.round()
        state = RunState.RUNNING if trouble is None else RunState.UNREACHABLE
        guests = tuple(
            replace(guest.snapshot(self.world.now_s), run_state=state, trouble=trouble)
            for guest in sorted(self.world.guests, key=lambda guest: guest.name)
        )
        return RoundRecord(
            number=1,
            snapshot=HostSnapshot(now_s=self.world.now_s, wall_s=0.0, memory=None, guests=guests),
            events=(),
            plan=step.plan,
            trace=step.trace,
            was_enforced=self._mode is Mode.ENFORCE,
        )


def named(lines: list[Any], event: str) -> list[Any]:
    return [line for line in lines if line["event"] == event]


def test_a_trouble_whose_words_hold_a_running_figure_is_told_once() -> None:
    play = Play(Mode.OBSERVE, Guest(name="ada"))
    assert len(named(play.rounds(2), "guest_found")) == 1
    first = play.rounds(trouble="no answer for 1.5 s")
    assert [line["detail"] for line in named(first, "guest_trouble")] == ["no answer for 1.5 s"]
    assert named(play.rounds(trouble="no answer for 27 s"), "guest_trouble") == []
    assert len(named(play.rounds(trouble="it sent nonsense"), "guest_trouble")) == 1
    assert len(named(play.rounds(), "guest_trouble_over")) == 1


def test_a_guest_that_cannot_be_read_from_the_start_is_told_after_a_while() -> None:
    play = Play(Mode.OBSERVE, Guest(name="ada"))
    assert named(play.rounds(2, trouble="it is being connected"), "guest_trouble") == []
    late = play.rounds(3, trouble="it is being connected")
    assert len(named(late, "guest_trouble")) == 1
    assert named(late, "guest_found") == []


def test_a_guest_that_comes_again_is_found_again() -> None:
    ada, bob = Guest(name="ada"), Guest(name="bob")
    play = Play(Mode.OBSERVE, ada, bob)
    play.rounds()
    play.world.guests = [bob]
    play.rounds()
    play.world.guests = [ada, bob]
    found = named(play.rounds(), "guest_found")
    assert [line["guest"] for line in found] == ["ada"]


def test_the_same_advice_is_not_given_in_every_round() -> None:
    guests = [Guest(name=name, used_mib=200) for name in ("ada", "bob")]
    play = Play(Mode.RECOMMEND, *guests)
    advice = named(play.rounds(20), "recommendation")
    assert advice
    assert len(advice) <= 4
    assert named(play.rounds(40), "recommendation")  # but not only once for ever


def test_observing_announces_no_plan() -> None:
    guests = [Guest(name=name, used_mib=200) for name in ("ada", "bob")]
    lines = Play(Mode.OBSERVE, *guests).rounds(20)
    assert named(lines, "recommendation") == named(lines, "target") == []


def shown(*statuses: Status) -> list[Any]:
    log = StatusLog()
    with capture_logs() as lines:
        for status in statuses:
            log.show(status)
    return list(lines)


def test_failures_and_troubles_of_the_loop_are_told_when_they_begin_and_end() -> None:
    broken = Status(failure="KeyError: 'x'", failures=1, sensor_trouble="/proc/meminfo: gone")
    lines = shown(
        Status(),
        broken,
        replace(broken, failures=2),
        replace(broken, failures=3, failure="ValueError: y"),
        Status(failures=3, rounds=1),
        Status(failures=3, rounds=2),
    )
    assert [(line["event"], line.get("failures")) for line in lines] == [
        ("round_failed", 1),
        ("host_trouble", None),
        ("round_failed", 3),
        ("rounds_work_again", 3),
        ("host_trouble_over", None),
    ]


def test_a_release_names_those_that_did_not_take_it() -> None:
    answers = tuple(
        TargetAnswered(guest=GuestId(name), target_bytes=1, outcome=outcome)
        for name, outcome in (("ada", Outcome.ACCEPTED), ("bob", Outcome.REFUSED))
    )
    (line,) = shown(Status(), Status(released=answers), Status(released=answers, rounds=1))
    assert (line["event"], line["guests"], line["not_accepted"]) == ("released", 2, ["bob"])


def test_dropped_events_and_a_failing_journal_are_told() -> None:
    lines = shown(
        Status(events_dropped=5),
        Status(events_dropped=5, journal_trouble="OSError: full"),
        Status(events_dropped=5, journal_trouble="OSError: full"),
    )
    assert [line["event"] for line in lines] == ["events_dropped", "journal_trouble"]


def test_a_daemon_without_effect_says_so_once_and_once_when_it_is_over() -> None:
    """Its guests take every target and no balloon moves."""
    play = Play(Mode.ENFORCE, *(Guest(name=name, used_mib=100) for name in ("ada", "bob")))
    play.world.params = params(budget_mib=700)
    told = play.rounds(120)
    (line,) = named(told, "no_effect")
    assert line["log_level"] == "error"
    assert line["effect"] == "orders_move_nothing"
    assert "Check that the balloon drivers" in line["words"]
    assert named(told, "no_effect_over") == []
    play.world.guest("ada").actual_mib = 400
    assert len(named(play.rounds(2), "no_effect_over")) == 1
