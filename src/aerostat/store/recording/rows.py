"""Rounds to rows of a recording and back."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestSnapshot
from aerostat.model.host import HostMemory, HostSnapshot
from aerostat.model.plan import GuestTrace, HostTrace, Plan, RoundTrace, TargetChange
from aerostat.ports.journal import RoundRecord
from aerostat.store.recording.columns import ACCOUNT, DECIDED, HOST, SENT
from aerostat.store.recording.parts import Part
from aerostat.store.rows import EVENT_KINDS
from aerostat.store.tape.chunk import event_from
from aerostat.store.tape.flat import row_of, value_from
from aerostat.store.tape.plain import plain, state_of, value_of

Row = dict[str, Any]

INTEGER_MAX = 2**63 - 1
"""Counters beyond that are cut: no column takes more, and no decision tells them apart."""


def rows_of(part: Part, number: int) -> Iterator[Row]:
    """A row for each guest in each round of a part; a round without guests has one as well."""
    first: Row = {}
    if part.state is not None:
        first = {"engine_state": _text(part.state), "engine_params": _text(part.params)}
    for record in part.rounds:
        around = {"part": number, "session": part.session, **_around(record, part.engine)}
        if record.events:
            events = [{"what": EVENT_KINDS[type(e)], **plain(e)} for e in record.events]
            first["events"] = json.dumps(events, separators=(",", ":"))
        guests = list(_guest_rows(record)) or [{}]
        for row in guests:
            yield {name: _cell(item) for name, item in {**around, **first, **row}.items()}
            first = {}


def _around(record: RoundRecord, engine: str | None) -> Row:
    row: Row = {
        "engine": engine,
        "round": record.number,
        "now_s": record.snapshot.now_s,
        "wall_s": record.snapshot.wall_s,
        "was_enforced": record.was_enforced,
        "next_round_s": record.plan.next_round_s,
    }
    if record.snapshot.memory is not None:
        row |= {HOST + name: item for name, item in row_of(record.snapshot.memory).items()}
    row |= {ACCOUNT + name: item for name, item in row_of(record.trace.host).items()}
    return row


def _guest_rows(record: RoundRecord) -> Iterator[Row]:
    sent = {
        change.guest: {
            f"{SENT}position": position,
            f"{SENT}target_bytes": change.target_bytes,
            f"{SENT}reason": change.reason.value,
            f"{SENT}is_urgent": change.is_urgent,
        }
        for position, change in enumerate(record.plan.changes)
    }
    for guest, trace in zip(record.snapshot.guests, record.trace.guests, strict=True):
        decided = row_of(trace)
        del decided["guest"], decided["name"]
        yield {
            **row_of(guest),
            **{DECIDED + name: item for name, item in decided.items()},
            **sent.get(guest.guest, {}),
        }


def _text(value: object) -> str:
    return json.dumps(plain(value), separators=(",", ":"))


def _cell(item: Any) -> Any:
    if isinstance(item, str):
        # A name of bytes that are no UTF-8 is escaped.
        return item.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(item, int) and not isinstance(item, bool):
        return max(-INTEGER_MAX, min(INTEGER_MAX, item))
    return item


def part_of(rows: Sequence[Row]) -> Part:
    """Read a part back.

    Raises:
        ValueError, KeyError, TypeError: there is something in it that this version does not know.
    """
    first = rows[0]
    has_state = first["engine_state"] is not None
    return Part(
        session=first["session"],
        engine=first["engine"],
        state=state_of(json.loads(first["engine_state"])) if has_state else None,
        params=value_of(EngineParams, json.loads(first["engine_params"])) if has_state else None,
        rounds=tuple(_record_of(group) for group in _by_round(rows)),
    )


def _by_round(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    begin = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end]["round"] != rows[begin]["round"]:
            yield rows[begin:end]
            begin = end


def _record_of(rows: Sequence[Row]) -> RoundRecord:
    around = rows[0]
    guests = sorted((row for row in rows if row["guest"] is not None), key=_guest)
    has_memory = around[f"{HOST}total_bytes"] is not None
    sent = [row for row in guests if row[f"{SENT}target_bytes"] is not None]
    return RoundRecord(
        number=around["round"],
        snapshot=HostSnapshot(
            now_s=around["now_s"],
            wall_s=around["wall_s"],
            memory=value_from(HostMemory, around, HOST) if has_memory else None,
            guests=tuple(value_from(GuestSnapshot, row) for row in guests),
        ),
        events=tuple(event_from(one) for one in json.loads(around["events"] or "[]")),
        plan=Plan(
            changes=tuple(_change_of(row) for row in sorted(sent, key=_position)),
            next_round_s=around["next_round_s"],
        ),
        trace=RoundTrace(
            now_s=around["now_s"],
            wall_s=around["wall_s"],
            host=value_from(HostTrace, around, ACCOUNT),
            guests=tuple(_trace_of(row) for row in guests),
        ),
        was_enforced=around["was_enforced"],
    )


def _guest(row: Row) -> str:
    guest: str = row["guest"]
    return guest


def _position(row: Row) -> int:
    position: int = row[f"{SENT}position"]
    return position


def _trace_of(row: Row) -> GuestTrace:
    named = {DECIDED + name: row[name] for name in ("guest", "name")}
    trace: GuestTrace = value_from(GuestTrace, {**row, **named}, DECIDED)
    return trace


def _change_of(row: Row) -> TargetChange:
    change: TargetChange = value_from(TargetChange, {**row, f"{SENT}guest": row["guest"]}, SENT)
    return change
