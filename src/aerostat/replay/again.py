"""Decides a recording again, and says where the decisions differ from those recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from aerostat.engine.state import EngineState
from aerostat.engine.step import Step, step
from aerostat.model.guest import GuestId
from aerostat.ports.journal import RoundRecord
from aerostat.store.recording import Part
from aerostat.store.tape.engine_digest import engine_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that was decided otherwise."""

    session: int
    round_number: int
    wall_s: float
    guest: GuestId | None  # None: of the round as a whole
    name: str | None
    what: str
    recorded: str
    decided: str


@dataclass(slots=True, kw_only=True)
class Reproduction:
    """What deciding again came to."""

    is_same_engine: bool  # the sources are the same as those that decided then
    parts: int = 0
    rounds: int = 0
    decisions: int = 0  # rounds of guests
    differing_rounds: int = 0
    first: Difference | None = None

    @property
    def is_exact(self) -> bool:
        """Whether every decision was the same, to the last bit."""
        return self.differing_rounds == 0


class DecidesAgain:
    """Runs parts through the present engine and compares.

    Every part begins with the state that was recorded, so that what follows a difference is not
    blamed for it; where two parts follow each other, that state is compared as well.
    """

    def __init__(self) -> None:
        self.found = Reproduction(is_same_engine=True)
        self._before: Part | None = None
        self._ended: EngineState | None = None

    def add(self, part: Part) -> list[Step | None]:
        """Decide the next part again; returns what each round came to, ``None``: it failed."""
        assert part.state is not None, "thinned rounds cannot be decided again"
        found = self.found
        found.is_same_engine &= part.engine is not None and part.engine == engine_digest()
        found.parts += 1
        differences = list(_across(self._before, self._ended, part))
        steps: list[Step | None] = []
        state = part.state
        for record in part.rounds:
            decided, failure = _tried(state, record, part)
            steps.append(decided)
            differences += _differences(part, record, decided, failure)
            found.rounds += 1
            found.decisions += len(record.snapshot.guests)
            if differences:
                found.differing_rounds += 1
                found.first = found.first or differences[0]
                differences = []
            if decided is not None:
                state = decided.state
        self._before, self._ended = part, state
        return steps


def follows(before: Part | None, part: Part) -> bool:
    """Whether no round is missing between two parts, and the engine did not begin afresh."""
    return (
        before is not None
        and before.session == part.session
        and before.rounds[-1].number + 1 == part.rounds[0].number
        and part.state is not None
        and part.state.has_run
    )


def _tried(
    state: EngineState, record: RoundRecord, part: Part
) -> tuple[Step | None, Exception | None]:
    assert part.params is not None
    try:
        return step(state, record.snapshot, record.events, part.params), None
    except Exception as error:  # noqa: BLE001 # another engine may fail where that one did not
        return None, error


def _across(before: Part | None, ended: EngineState | None, part: Part) -> Iterator[Difference]:
    if not follows(before, part) or ended == part.state:
        return
    first = part.rounds[0]
    yield Difference(
        session=part.session,
        round_number=first.number,
        wall_s=first.snapshot.wall_s,
        guest=None,
        name=None,
        what="what the engine remembered before it",
        recorded="as recorded",
        decided=_where(part.state, ended),
    )


def _where(recorded: EngineState | None, decided: EngineState | None) -> str:
    for column in fields(EngineState):
        if getattr(recorded, column.name) != getattr(decided, column.name):
            return f"other {column.name}"
    return "other"


def _differences(
    part: Part, record: RoundRecord, decided: Step | None, failure: Exception | None
) -> Iterator[Difference]:
    def difference(
        what: str, recorded: object, now: object, guest: GuestId | None = None, name: str = ""
    ) -> Difference:
        return Difference(
            session=part.session,
            round_number=record.number,
            wall_s=record.snapshot.wall_s,
            guest=guest,
            name=name or None,
            what=what,
            recorded=_shown(recorded),
            decided=_shown(now),
        )

    if decided is None:
        yield difference("the round", "decided", f"{type(failure).__name__}: {failure}")
        return
    for old, new in zip(record.trace.guests, decided.trace.guests, strict=True):
        if old != new:
            what = _changed(old, new)
            yield difference(what, getattr(old, what), getattr(new, what), old.guest, old.name)
    if record.trace.host != decided.trace.host:
        what = _changed(record.trace.host, decided.trace.host)
        old_host, new_host = record.trace.host, decided.trace.host
        yield difference(f"host: {what}", getattr(old_host, what), getattr(new_host, what))
    if record.plan != decided.plan:
        what = _changed(record.plan, decided.plan)
        yield difference(what, getattr(record.plan, what), getattr(decided.plan, what))


_TELLING = ("target_bytes", "reason", "bound", "wish_bytes", "demand_bytes")
"""Of several fields that differ, these say most."""


def _changed(old: Any, new: Any) -> str:
    names = [
        field.name for field in fields(old) if getattr(old, field.name) != getattr(new, field.name)
    ]
    telling = [name for name in _TELLING if name in names]
    return (telling or names)[0]


def _shown(value: object) -> str:
    return "absent" if value is None else str(value)
