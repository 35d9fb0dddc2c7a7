"""What ``aerostat events`` lists: events and changed decisions of all guests, oldest first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aerostat.engine.explain import explain, explain_effect, technique_words
from aerostat.model.events import (
    HOST_ITSELF,
    BalloonMoved,
    Event,
    LifecycleChanged,
    MemoryReserved,
    OperatorCommanded,
    Outcome,
    PressurePushed,
    TargetAnswered,
    TargetReplaced,
    TechniqueUsed,
)
from aerostat.model.guest import GuestId
from aerostat.present.printable import printable
from aerostat.store import EffectChange, Happening, KnownGuest, Move, Session, StoreReader
from aerostat.story.explanation import outcome, outcome_words
from aerostat.story.remembered import Freshness, heading, known_only, utc
from aerostat.units import format_duration, format_size

SCHEMA = "aerostat.events/1"

MovesOf = Callable[..., Sequence[Move]]
"""Called as ``StoreReader.moves``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened. ``kind`` is stable."""

    wall_s: float
    kind: str
    words: str
    guest: GuestId | None = None  # None: it concerns the daemon
    name: str | None = None
    more: dict[str, Any]
    is_routine: bool = False  # in the document only

    def document(self, now: Freshness) -> dict[str, object]:
        """As JSON."""
        return {
            "at": utc(self.wall_s),
            "age_s": round(max(0.0, now.now_wall_s - self.wall_s), 3),
            "kind": self.kind,
            **known_only(id=self.guest, name=self.name),
            "words": self.words,
            **known_only(**self.more),
        }


def lines_of(
    reader: StoreReader,
    guests: Iterable[KnownGuest],
    *,
    only: GuestId | None,
    since_wall_s: float,
    until_wall_s: float,
    moves_of: MovesOf | None = None,
) -> list[Line]:
    """Everything that happened in this time, oldest first.

    Args:
        reader: of the store.
        guests: whose moves are told.
        only: tell of this one alone.
        since_wall_s: from when on.
        until_wall_s: up to when.
        moves_of: who remembers moves; None: the reader reads them all.
    """
    moves_of = moves_of or reader.moves
    span = {"since_wall_s": since_wall_s, "until_wall_s": until_wall_s}
    lines = [_started(session) for session in reader.sessions(**span)]
    lines += [_found_out(change) for change in reader.effects(**span)]
    lines += [line_of_event(happening) for happening in reader.events(**span, guest=only)]
    for guest in guests:
        if only is None or guest.guest == only:
            lines += [line_of_move(move) for move in moves_of(guest.guest, **span)]
    # Sorting is stable: of one round, events come before the decisions they led to.
    return sorted(lines, key=lambda line: line.wall_s)


def events_document(
    path: Path | None, now: Freshness, lines: Iterable[Line], *, since_wall_s: float
) -> dict[str, Any]:
    """All of it as JSON."""
    return {
        **heading(path, now, SCHEMA),
        "since": utc(since_wall_s),
        "events": [line.document(now) for line in lines],
    }


DAEMON = "daemon"
"""Stands for a name where no VM is concerned."""


def events_text(events: Sequence[Mapping[str, Any]]) -> str:
    """Documents of events for people: a line each, as they come."""
    width = max((len(event.get("name") or DAEMON) for event in events), default=0)
    return "\n".join(event_text(event, width) for event in events)


def event_text(event: Mapping[str, Any], width: int) -> str:
    """One of them, at the reader's local time."""
    at = datetime.fromisoformat(event["at"]).astimezone()
    name, words = printable(event.get("name") or DAEMON), printable(event["words"])
    return f"{at:%Y-%m-%d %H:%M:%S}  {name:<{width}}  {event['kind']:<13}  {words}"


def lines_text(lines: list[Line]) -> str:
    """A line each, newest last, without what is routine."""
    now = Freshness(now_wall_s=0.0, written_wall_s=0.0)  # ages are not shown
    return events_text([line.document(now) for line in lines if not line.is_routine])


def _started(session: Session) -> Line:
    return Line(
        wall_s=session.started_wall_s,
        kind="started",
        words=f"Aerostat {session.aerostat} began to write",
        more={},
    )


def _found_out(change: EffectChange) -> Line:
    return Line(
        wall_s=change.wall_s,
        kind="self_check",
        words=explain_effect(change.host),
        more={"effect": change.host.effect.value},
    )


def line_of_move(move: Move) -> Line:
    """A decision that changed, and what came of it."""
    line = line_of_decision(move)
    more = {**line.more, "outcome": outcome(move)}
    return replace(line, words=line.words + outcome_words(move), more=more)


def line_of_decision(move: Move) -> Line:
    """A decision alone: what comes of it is not known yet."""
    trace = move.trace
    kind = "hold" if not move.is_change else "target" if move.was_enforced else "advice"
    return Line(
        wall_s=move.wall_s,
        kind=kind,
        words=explain(trace),
        guest=trace.guest,
        name=trace.name,
        more={
            "reason": trace.reason.value,
            "bound": trace.bound.value,
            "target_before_bytes": trace.target_before_bytes,
            "target_bytes": trace.target_bytes,
            "actual_bytes": trace.actual_bytes,
        },
    )


def line_of_event(happening: Happening) -> Line:
    """Something that happened to a guest."""
    event = happening.event
    kind, words, more = _told(event)
    accepted = isinstance(event, TargetAnswered) and event.outcome is Outcome.ACCEPTED
    return Line(
        wall_s=happening.wall_s,
        kind=kind,
        words=words,
        guest=None if event.guest == HOST_ITSELF else event.guest,
        name=None if event.guest == HOST_ITSELF else happening.name,
        more=more,
        is_routine=accepted,
    )


def _told(event: Event) -> tuple[str, str, dict[str, Any]]:
    match event:
        case TargetAnswered(target_bytes=target, outcome=came, detail=detail):
            words = f"target {format_size(target)}: {_ANSWERS[came]}"
            more = {"target_bytes": target, "outcome": came.value, "detail": detail or None}
            return "answered", words + (f": {detail}" if detail else ""), more
        case TargetReplaced():
            return "foreign_target", *_replaced(event)
        case PressurePushed():
            return "pressure", *_pressed(event)
        case BalloonMoved(actual_bytes=actual):
            return "balloon_moved", f"holds {format_size(actual)} now", {"actual_bytes": actual}
        case LifecycleChanged(kind=kind, detail=detail):
            words = f"it {_LIVES.get(kind.value, kind.value)}" + (f" ({detail})" if detail else "")
            return "lifecycle", words, {"change": kind.value, "detail": detail}
        case MemoryReserved() | TechniqueUsed() | OperatorCommanded():
            return _told_of_orders(event)


def _told_of_orders(
    event: MemoryReserved | TechniqueUsed | OperatorCommanded,
) -> tuple[str, str, dict[str, Any]]:
    match event:
        case MemoryReserved(size_bytes=size, for_s=for_s):
            words = f"{format_size(size)} are kept for it for {format_duration(for_s)}"
            return "reserved", words, {"size_bytes": size, "for_s": for_s}
        case TechniqueUsed():
            return "technique", technique_words(event), _technique(event)
        case OperatorCommanded(command=command, who=who, detail=detail):
            return "command", f"{detail} ({who})", {"command": command.value, "who": who}


def _pressed(event: PressurePushed) -> tuple[str, dict[str, Any]]:
    free = event.free_bytes
    words = "its agent says that it waits for memory"
    words += "" if free is None else f", with {format_size(free)} free"
    return words, {"trigger": event.trigger.value, "free_bytes": free}


def _replaced(event: TargetReplaced) -> tuple[str, dict[str, Any]]:
    moved = f"{format_size(event.held_bytes)} -> {format_size(event.actual_bytes)}"
    words = (
        f"somebody else has set its target: {moved}; "
        f"it is left to them for {format_duration(event.for_s)}"
    )
    return words, {
        "held_bytes": event.held_bytes,
        "actual_bytes": event.actual_bytes,
        "for_s": event.for_s,
    }


def _technique(event: TechniqueUsed) -> dict[str, Any]:
    return {
        "step": event.step.value,
        "act": event.act.value,
        "asked_bytes": event.asked_bytes,
        "taken_bytes": event.taken_bytes,
        "took_s": event.took_s,
        "detail": event.detail or None,
    }


_ANSWERS = {
    Outcome.ACCEPTED: "accepted",
    Outcome.REFUSED: "refused",
    Outcome.UNKNOWN: "no answer came",
}
_LIVES = {
    "paused": "was paused",
    "resumed": "runs again",
    "reset": "was reset",
    "shutdown_asked": "was asked to shut down",
    "shutdown": "shut down",
}
