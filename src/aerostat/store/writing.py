"""Writes rounds into an open database, each in one transaction."""

import sqlite3
from collections.abc import Mapping
from dataclasses import fields

from aerostat.model.events import PressurePushed
from aerostat.model.guest import GuestId
from aerostat.ports.journal import RoundRecord
from aerostat.store import rows
from aerostat.store.rows import Cell
from aerostat.store.schema import columns
from aerostat.store.tape.chunk import Chunk
from aerostat.store.tape.engine_digest import engine_digest


class RoundWriter:
    """One daemon's session in one database."""

    def __init__(
        self, connection: sqlite3.Connection, *, aerostat: str, configuration: str | None
    ) -> None:
        self._connection = connection
        self._aerostat = aerostat
        self.configuration = configuration
        self._session: int | None = None
        self._numbers: dict[tuple[str, str], int] = {}
        self._platform_numbers: dict[int, str] = {}
        self._names: dict[str, str] = {}
        self._columns = columns(connection)

    @property
    def session(self) -> int | None:
        """This session's number, once something has been written in it."""
        return self._session

    def write(self, record: RoundRecord) -> None:
        """Write a round, all of it or nothing.

        Raises:
            sqlite3.Error: nothing was written.
        """
        known, session = dict(self._numbers), self._session
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._write(record)
            self._connection.execute("COMMIT")
        except BaseException:
            self._numbers, self._session = known, session
            self._platform_numbers.clear()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def write_chunk(self, chunk: Chunk) -> None:
        """Write a piece of the tape.

        Raises:
            sqlite3.Error: nothing was written.
        """
        session = self._session
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if self._session is None:
                self._session = self._begin_session(chunk.first_wall_s)
            row = {"session": self._session, "engine": engine_digest(), **_cells(chunk)}
            self._insert("tape", row)
            self._connection.execute("COMMIT")
        except BaseException:
            self._session = session
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def forget_numbers(self) -> None:
        """Look guests up again: some may have been deleted."""
        self._numbers.clear()
        self._platform_numbers.clear()

    def _write(self, record: RoundRecord) -> None:
        if self._session is None:
            self._session = self._begin_session(record.snapshot.wall_s)
        number = self._insert("round", self._round_row(record, self._session))
        traces = {trace.guest: trace for trace in record.trace.guests}
        for guest in record.snapshot.guests:
            self._names[guest.guest] = guest.name
            known = self._number(guest.guest, guest.name)
            row = {"round": number, "guest": known}
            if guest.number is not None:
                self._note_platform_number(known, guest.number)
            self._insert("sample", {**row, **rows.sample_row(guest)})
            if guest.guest in traces:
                decided = rows.cells(traces[guest.guest], rows.DECISION)
                self._insert("decision", {**row, **decided})
        for position, change in enumerate(record.plan.changes):
            row = {"round": number, "position": position, "guest": self._known(change.guest)}
            self._insert("target_change", {**row, **rows.cells(change, rows.CHANGE)})
        for position, event in enumerate(record.events):
            if isinstance(event, PressurePushed) and not event.is_first:
                continue  # a guest shall not fill the disk: that it goes on shows in the decisions
            row = {"round": number, "position": position, "guest": self._known(event.guest)}
            self._insert("event", {**row, **rows.event_row(event)})

    def _round_row(self, record: RoundRecord, session: int) -> dict[str, Cell]:
        return {
            "session": session,
            "number": record.number,
            "now_s": record.snapshot.now_s,
            "wall_s": record.snapshot.wall_s,
            "was_enforced": int(record.was_enforced),
            "next_round_s": record.plan.next_round_s,
            **rows.cells(record.trace.host, rows.HOST_TRACE),
            **rows.prefixed("host", rows.cells(record.snapshot.memory, rows.HOST_MEMORY)),
        }

    def _begin_session(self, wall_s: float) -> int:
        row: dict[str, Cell] = {
            "started_wall_s": wall_s,
            "aerostat": self._aerostat,
            "configuration": self.configuration,
        }
        return self._insert("session", row)

    def _known(self, guest: GuestId) -> int:
        """The number of a guest that may not be in this round, by the name it had last."""
        return self._number(guest, self._names.get(guest, guest))

    def _number(self, guest: GuestId, name: str) -> int:
        key = (str(rows.cell(guest)), str(rows.cell(name)))
        if key not in self._numbers:
            found = self._connection.execute(
                "SELECT number FROM guest WHERE guest = ? AND name = ?", key
            ).fetchone()
            self._numbers[key] = (
                self._insert("guest", {"guest": key[0], "name": key[1]})
                if found is None
                else found[0]
            )
        return self._numbers[key]

    def _note_platform_number(self, guest: int, platform_number: str) -> None:
        """The id by which the VM's platform knows it, where that is new."""
        if (
            self._platform_numbers.get(guest) != platform_number
            and "platform_number" in self._columns["guest"]
        ):
            self._connection.execute(
                "UPDATE guest SET platform_number = ? WHERE number = ?",
                (rows.cell(platform_number), guest),
            )
            self._platform_numbers[guest] = platform_number

    def _insert(self, table: str, row: Mapping[str, Cell | bytes]) -> int:
        # The model may have learned more than this file has room for: the rest is still worth it.
        row = {name: value for name, value in row.items() if name in self._columns[table]}
        # Table and column names are ours; everything that was read goes in as a value.
        marks = ", ".join("?" * len(row))
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
        number = self._connection.execute(statement, tuple(row.values())).lastrowid
        return number or 0


def _cells(chunk: Chunk) -> dict[str, Cell | bytes]:
    return {field.name: getattr(chunk, field.name) for field in fields(chunk)}
