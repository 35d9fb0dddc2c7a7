"""A minute of rounds in full, as one compressed piece of JSON.

Of every figure only its changes are kept, each with the number of rounds since the change before:
most figures stay the same from round to round. What the engine remembered before the first round,
and what it was told to do, stand at the beginning, so that every chunk can be replayed by itself.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.model.guest import GuestSnapshot
from aerostat.model.host import HostMemory, HostSnapshot
from aerostat.model.plan import GuestTrace, HostTrace, Plan, RoundTrace, TargetChange
from aerostat.ports.journal import RoundRecord
from aerostat.store.rows import EVENT_KINDS
from aerostat.store.tape.flat import Row, Scalar, row_of, value_from
from aerostat.store.tape.plain import plain, state_of, value_of

CHUNK_VERSION = 1
"""Of what is inside a chunk; a change of meaning raises it."""

CHUNK_S = 60.0
ROUNDS_MAX = 600

_DECIDED = "decided_"  # before the names of what the engine made of a guest or of the host


class ChunkError(ValueError):
    """A chunk that cannot be read; the message says why."""


class Changes:
    """One row of figures through rounds, as the rounds in which each figure changed."""

    def __init__(self) -> None:
        self._last: Row = {}
        self._changed_at: dict[str, int] = {}
        self.changes: dict[str, list[Scalar | None]] = {}  # rounds passed, value, and so on

    def add(self, number: int, row: Row) -> None:
        """Take the row of a round; rounds come in order."""
        last = self._last
        for name, value in row.items():
            # 1 == 1.0 == True: what changes its type has changed.
            if name not in last or last[name] != value or type(last[name]) is not type(value):
                self._note(number, name, value)
        for name in last.keys() - row.keys():
            self._note(number, name, None)
        self._last = row

    def _note(self, number: int, name: str, value: Scalar | None) -> None:
        self.changes.setdefault(name, []).extend((number - self._changed_at.get(name, 0), value))
        self._changed_at[name] = number


def _replayed(changes: Mapping[str, list[Any]], rounds: int) -> Iterator[dict[str, Any]]:
    """The rows that ``Changes`` took, round by round; None in place of an absent figure."""
    due: dict[int, list[tuple[str, Any]]] = {}
    for name, pairs in changes.items():
        number = 0
        for passed, value in zip(pairs[::2], pairs[1::2], strict=True):
            number += passed
            due.setdefault(number, []).append((name, value))
    row: dict[str, Any] = {}
    for number in range(rounds):
        row.update(due.get(number, ()))
        yield row


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What is written of it."""

    first_number: int
    last_number: int
    first_wall_s: float
    last_wall_s: float
    rounds: int
    payload: bytes


class ChunkBuilder:
    """Takes rounds until the chunk is to be written; small in memory, since it keeps changes."""

    def __init__(self, first: RoundRecord) -> None:
        assert first.state is not None, "a round that was not decided by the engine"
        assert first.params is not None
        self._state = plain(first.state)
        self._params_plain = plain(first.params)
        self._params = first.params
        self._first = self._last = first
        self._count = 0
        self._host = Changes()
        self._guests: dict[str, Changes] = {}
        self._happened: list[list[Any]] = []
        self._sent: list[list[Any]] = []
        self.add(first)

    def follows(self, record: RoundRecord) -> bool:
        """Whether a round goes on where this chunk ends, and still belongs into it."""
        first_s = self._first.snapshot.now_s
        return (
            record.number == self._last.number + 1
            and record.params is self._params
            # A state that has seen nothing: the engine began afresh, after rounds that failed.
            and record.state is not None
            and record.state.has_run
            and record.snapshot.now_s - first_s < CHUNK_S
            and self._count < ROUNDS_MAX
        )

    def add(self, record: RoundRecord) -> None:
        """Take a round."""
        number = self._count
        self._host.add(number, _host_row(record))
        present = {str(guest.guest): guest for guest in record.snapshot.guests}
        traces = {str(trace.guest): trace for trace in record.trace.guests}
        for name in present.keys() - self._guests.keys():
            self._guests[name] = Changes()
        for name, changes in self._guests.items():
            guest = present.get(name)
            changes.add(number, {} if guest is None else _guest_row(guest, traces[name]))
        if record.events:
            happened = [{"what": EVENT_KINDS[type(e)], **plain(e)} for e in record.events]
            self._happened.append([number, happened])
        if record.plan.changes:
            self._sent.append([number, [plain(change) for change in record.plan.changes]])
        self._last = record
        self._count += 1

    def chunk(self) -> Chunk:
        """All of it, to be written."""
        written = {
            "version": CHUNK_VERSION,
            "first_number": self._first.number,
            "rounds": self._count,
            "params": self._params_plain,
            "state": self._state,
            "host": self._host.changes,
            "guests": {name: changes.changes for name, changes in self._guests.items()},
            "events": self._happened,
            "changes": self._sent,
        }
        text = json.dumps(written, separators=(",", ":"))
        return Chunk(
            first_number=self._first.number,
            last_number=self._last.number,
            first_wall_s=self._first.snapshot.wall_s,
            last_wall_s=self._last.snapshot.wall_s,
            rounds=self._count,
            payload=zlib.compress(text.encode("ascii"), 6),
        )


def _host_row(record: RoundRecord) -> Row:
    row: Row = {
        "now_s": record.snapshot.now_s,
        "wall_s": record.snapshot.wall_s,
        "was_enforced": record.was_enforced,
        "next_round_s": record.plan.next_round_s,
    }
    if record.snapshot.memory is not None:
        row |= {f"host_{name}": v for name, v in row_of(record.snapshot.memory).items()}
    row |= {_DECIDED + name: value for name, value in row_of(record.trace.host).items()}
    return row


def _guest_row(guest: GuestSnapshot, trace: GuestTrace) -> Row:
    row = row_of(guest)
    row |= {_DECIDED + name: value for name, value in row_of(trace).items()}
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What the engine knew before the first round of a chunk."""

    state: EngineState
    params: EngineParams


def read_chunk(payload: bytes) -> tuple[Beginning, list[RoundRecord]]:
    """Read a chunk back.

    Raises:
        ChunkError: it is damaged, or of another version.
    """
    try:
        written = json.loads(zlib.decompress(payload))
        version = written["version"]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise ChunkError(f"it is damaged: {error}") from error
    if version != CHUNK_VERSION:
        raise ChunkError(f"it is of version {version}; this Aerostat reads {CHUNK_VERSION}")
    try:
        beginning = Beginning(
            state=state_of(written["state"]), params=value_of(EngineParams, written["params"])
        )
        return beginning, list(_rounds(written))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise ChunkError(f"this Aerostat does not know what is in it: {error!r}") from error


def _rounds(written: Mapping[str, Any]) -> Iterator[RoundRecord]:
    rounds = written["rounds"]
    host = _replayed(written["host"], rounds)
    guests = [_replayed(written["guests"][name], rounds) for name in sorted(written["guests"])]
    events, changes = dict(written["events"]), dict(written["changes"])
    for number in range(rounds):
        around = next(host)
        rows = [row for row in map(next, guests) if row.get("guest") is not None]
        has_memory = around.get("host_total_bytes") is not None
        yield RoundRecord(
            number=written["first_number"] + number,
            snapshot=HostSnapshot(
                now_s=around["now_s"],
                wall_s=around["wall_s"],
                memory=value_from(HostMemory, around, "host_") if has_memory else None,
                guests=tuple(value_from(GuestSnapshot, row) for row in rows),
            ),
            events=tuple(event_from(one) for one in events.get(number, ())),
            plan=Plan(
                changes=tuple(value_of(TargetChange, one) for one in changes.get(number, ())),
                next_round_s=around["next_round_s"],
            ),
            trace=RoundTrace(
                now_s=around["now_s"],
                wall_s=around["wall_s"],
                host=value_from(HostTrace, around, _DECIDED),
                guests=tuple(value_from(GuestTrace, row, _DECIDED) for row in rows),
            ),
            was_enforced=around["was_enforced"],
        )


def event_from(written: Mapping[str, Any]) -> Any:
    """An event as it came.

    Raises:
        ValueError: it is of a kind that this version does not know.
    """
    rest = {name: item for name, item in written.items() if name != "what"}
    for kind, what in EVENT_KINDS.items():
        if what == written["what"]:
            return value_of(kind, rest)
    raise ValueError(f"{written['what']!r} is not a kind of event")
