"""Reads a store while a daemon writes to it, or after it is gone."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from aerostat.model.guest import GuestId
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import Plan, RoundTrace
from aerostat.ports.journal import RoundRecord
from aerostat.store import rows, schema
from aerostat.store.asking import Asked, Row
from aerostat.store.decisions import DECISIONS, Decisions
from aerostat.store.errors import StoreError
from aerostat.store.file import Inode, inode_of
from aerostat.store.kept import (
    EffectChange,
    Happening,
    KnownGuest,
    LastSeen,
    Move,
    Session,
    TapePart,
)
from aerostat.store.moves import news_of
from aerostat.store.tape.chunk import ChunkError, read_chunk

BUSY_S = 2.0

_SAMPLES = "SELECT g.guest, g.name, s.* FROM sample s JOIN guest g ON g.number = s.guest"
_NAMED = (
    "CASE WHEN g.name <> g.guest THEN g.name ELSE coalesce((SELECT n.name FROM guest n"
    " WHERE n.guest = g.guest AND n.name <> n.guest ORDER BY n.number DESC LIMIT 1), g.name) END"
)
"""A name: of a VM that had not been read yet when something happened to it, the one it had then."""
_LISTED = {
    table: f"SELECT g.guest, g.name, t.* FROM {table} t JOIN guest g ON g.number = t.guest"  # noqa: S608 # two names of ours
    for table in ("event", "target_change")
}


def open_store(path: Path) -> "StoreReader":
    """Open a store for reading.

    Raises:
        StoreError: there is none, or it is not one, or a newer Aerostat wrote it.
    """
    try:
        inode = inode_of(path.stat())
    except FileNotFoundError as error:
        raise StoreError(
            path, "there is no such store; is the daemon running, and with this store?"
        ) from error
    except OSError as error:
        raise StoreError(path, f"it cannot be read: {error}") from error
    connection, is_live = _connected(path)
    reader = StoreReader(path, connection, inode, is_live=is_live)
    try:
        reader.check()
    except BaseException:
        reader.close()
        raise
    return reader


def _connected(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Connect without writing, also where this user could not; whether changes are seen, too."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        return _tried(address), True
    except sqlite3.Error as error:
        # Somebody who may only read cannot join the log beside the file. Without one, after a
        # clean stop, the file is all there is.
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size > 0:
            raise StoreError(path, f"it cannot be read: {error}") from error
    try:
        return _tried(f"{address}&immutable=1"), False
    except sqlite3.Error as error:
        raise StoreError(path, f"it cannot be read: {error}") from error


def _tried(address: str) -> sqlite3.Connection:
    # Whoever has a reader may hand it on; no two threads use one at a time.
    connection = sqlite3.connect(
        address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


class StoreReader:
    """An open store. Times are Unix seconds; ranges are inclusive; order is that of writing."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, inode: Inode, *, is_live: bool
    ) -> None:
        self.path = path
        self.inode = inode  # which file it was, when it was opened
        self.is_live = is_live  # what is written later will be seen
        self._asked = Asked(path, connection)
        self.decisions = Decisions(self._asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._asked.connection.close()

    def check(self) -> None:
        """See to it that this is a store.

        Raises:
            StoreError: it is not, or not of a version we know.
        """
        with self._asked.told():
            schema.check(self._asked.connection, self.path)

    def written_wall_s(self) -> float | None:
        """When something was written last; None: no round has been kept."""
        found = self._asked.rows("SELECT wall_s FROM round ORDER BY round DESC LIMIT 1")
        return found[0]["wall_s"] if found else None

    def guests(self) -> tuple[KnownGuest, ...]:
        """All guests of whom something is kept, under the names they had last, by name."""
        found = self._asked.rows(
            "SELECT g.*, r.wall_s, d.last FROM guest g JOIN"
            " (SELECT guest, max(round) AS last FROM decision GROUP BY guest) d"
            " ON d.guest = g.number JOIN round r ON r.round = d.last ORDER BY d.last"
        )
        newest = {
            row["guest"]: KnownGuest(
                guest=GuestId(row["guest"]),
                name=row["name"],
                seen_wall_s=row["wall_s"],
                number=row.get("platform_number"),  # files of older releases have no such column
            )
            for row in found
        }
        return tuple(sorted(newest.values(), key=lambda known: (known.name, known.guest)))

    def last_seen(self, guest: GuestId) -> LastSeen | None:
        """What was seen of a guest and decided about it last."""
        found = self._asked.rows(
            f"{DECISIONS} WHERE g.guest = ? ORDER BY d.round DESC LIMIT 1", guest
        )
        if not found:
            return None
        decision = found[0]
        (around,) = self._asked.rows("SELECT * FROM round WHERE round = ?", decision["round"])
        (sample,) = self._asked.rows(
            f"{_SAMPLES} WHERE s.round = ? AND g.guest = ?", decision["round"], guest
        )
        with self._asked.told():
            return LastSeen(
                wall_s=around["wall_s"],
                was_enforced=bool(around["was_enforced"]),
                session=self._session(around["session"]),
                host=rows.host_trace_of(around),
                snapshot=rows.snapshot_of(sample),
                trace=rows.trace_of(decision),
            )

    def moves(
        self, guest: GuestId, *, since_wall_s: float, until_wall_s: float
    ) -> tuple[Move, ...]:
        """A guest's decisions that differ from those before them, and what came of each."""
        decided = self.decisions.made(guest, since_wall_s=since_wall_s, until_wall_s=until_wall_s)
        before = self.decisions.before(guest, decided[0].round) if decided else None
        return self.decisions.in_full(guest, news_of(decided, before=before))

    def figures(
        self, guest: GuestId, names: Sequence[str], *, since_wall_s: float, until_wall_s: float
    ) -> list[tuple[Any, ...]]:
        """Some of the figures that decisions about a guest were made on, oldest first.

        Args:
            guest: which.
            names: columns of ``decision``.
            since_wall_s: from when on.
            until_wall_s: up to when.

        Returns:
            Of each decision when it was made, then the figures in order; None: it was absent.
        """
        assert set(names) <= set(rows.DECISION), "these are columns of the table"
        wanted = ", ".join(f"d.{name}" for name in names)
        return self._asked.tuples(
            f"SELECT r.wall_s, {wanted} FROM decision d"  # noqa: S608 # names of ours
            " JOIN guest g ON g.number = d.guest JOIN round r ON r.round = d.round"
            " WHERE g.guest = ? AND r.wall_s BETWEEN ? AND ? ORDER BY d.round",
            guest,
            since_wall_s,
            until_wall_s,
        )

    def events(
        self, *, since_wall_s: float, until_wall_s: float, guest: GuestId | None = None
    ) -> tuple[Happening, ...]:
        """What happened to guests, or to one of them, oldest first."""
        found = self._asked.rows(
            f"SELECT r.wall_s, g.guest, {_NAMED} AS name, e.* FROM event e"  # noqa: S608 # ours
            " JOIN round r ON r.round = e.round JOIN guest g ON g.number = e.guest"
            " WHERE r.wall_s BETWEEN ? AND ? AND (? IS NULL OR g.guest = ?)"
            " ORDER BY e.round, e.position",
            since_wall_s,
            until_wall_s,
            guest,
            guest,
        )
        with self._asked.told():
            return tuple(
                Happening(wall_s=row["wall_s"], name=row["name"], event=rows.event_of(row))
                for row in found
            )

    def effects(self, *, since_wall_s: float, until_wall_s: float) -> tuple[EffectChange, ...]:
        """When the daemon found that what it does has no effect, and when it had one again.

        What was so before this time and still is counts as found at its beginning.
        """
        # A store that is older has no such column, and nothing to tell.
        known = schema.columns(self._asked.connection)["round"]
        if "effect" not in known:
            return ()
        found = self._asked.rows(
            "SELECT * FROM (SELECT *, lag(effect, 1, 'working') OVER"
            " (PARTITION BY session ORDER BY round) AS before FROM round"
            " WHERE effect IS NOT NULL AND wall_s BETWEEN ? AND ?)"
            " WHERE effect <> before ORDER BY round",
            since_wall_s,
            until_wall_s,
        )
        with self._asked.told():
            return tuple(
                EffectChange(wall_s=row["wall_s"], host=rows.host_trace_of(row)) for row in found
            )

    def sessions(self, *, since_wall_s: float, until_wall_s: float) -> tuple[Session, ...]:
        """Runs of the daemon that began in this time."""
        found = self._asked.rows(
            "SELECT * FROM session WHERE started_wall_s BETWEEN ? AND ? ORDER BY session",
            since_wall_s,
            until_wall_s,
        )
        return tuple(_session(row) for row in found)

    def rounds(self, *, since_wall_s: float, until_wall_s: float) -> Iterator[RoundRecord]:
        """Rounds as the daemon had them, with those of their guests that were kept."""
        return self._rounds(None, since_wall_s, until_wall_s)

    def rounds_of(
        self, session: Session, *, since_wall_s: float, until_wall_s: float
    ) -> Iterator[RoundRecord]:
        """The same, of one run of the daemon."""
        return self._rounds(session.number, since_wall_s, until_wall_s)

    def _rounds(
        self, session: int | None, since_wall_s: float, until_wall_s: float
    ) -> Iterator[RoundRecord]:
        for around in self._asked.rows(
            "SELECT * FROM round WHERE wall_s BETWEEN ? AND ? AND (? IS NULL OR session = ?)"
            " ORDER BY round",
            since_wall_s,
            until_wall_s,
            session,
            session,
        ):
            with self._asked.told():
                record = self._round(around)
            yield record

    def tape(self, *, since_wall_s: float, until_wall_s: float) -> Iterator[TapePart]:
        """Rounds in full, where they were kept: all pieces that touch this time, in order."""
        with self._asked.told():
            tables = schema.columns(self._asked.connection)
        if "tape" not in tables:
            return  # an older Aerostat made this file, and no newer one has written to it
        pieces = self._asked.rows(
            "SELECT chunk FROM tape WHERE last_wall_s >= ? AND first_wall_s <= ? ORDER BY chunk",
            since_wall_s,
            until_wall_s,
        )
        for piece in pieces:
            yield from self._tape_part(piece["chunk"])

    def _tape_part(self, number: int) -> Iterator[TapePart]:
        # One at a time: a day of many guests does not fit into memory. A daemon that writes
        # beside us may have deleted it meanwhile.
        for row in self._asked.rows("SELECT * FROM tape WHERE chunk = ?", number):
            try:
                beginning, rounds = read_chunk(row["payload"])
            except ChunkError as error:
                raise StoreError(
                    self.path, f"the recording from {_utc(row['first_wall_s'])} on: {error}"
                ) from error
            yield TapePart(
                session=self._session(row["session"]),
                engine=row["engine"],
                state=beginning.state,
                params=beginning.params,
                rounds=tuple(rounds),
            )

    def _round(self, around: Row) -> RoundRecord:
        number = around["round"]
        samples = self._asked.rows(f"{_SAMPLES} WHERE s.round = ? ORDER BY g.guest", number)
        decisions = self._asked.rows(f"{DECISIONS} WHERE d.round = ? ORDER BY g.guest", number)
        return RoundRecord(
            number=around["number"],
            snapshot=HostSnapshot(
                now_s=around["now_s"],
                wall_s=around["wall_s"],
                memory=rows.host_memory_of(around),
                guests=tuple(rows.snapshot_of(row) for row in samples),
            ),
            events=tuple(rows.event_of(row) for row in self._listed("event", number)),
            plan=Plan(
                changes=tuple(rows.change_of(row) for row in self._listed("target_change", number)),
                next_round_s=around["next_round_s"],
            ),
            trace=RoundTrace(
                now_s=around["now_s"],
                wall_s=around["wall_s"],
                host=rows.host_trace_of(around),
                guests=tuple(rows.trace_of(row) for row in decisions),
            ),
            was_enforced=bool(around["was_enforced"]),
        )

    def _listed(self, table: str, number: int) -> list[Row]:
        return self._asked.rows(f"{_LISTED[table]} WHERE t.round = ? ORDER BY t.position", number)

    def _session(self, number: int) -> Session:
        (row,) = self._asked.rows("SELECT * FROM session WHERE session = ?", number)
        return _session(row)


def _session(row: Row) -> Session:
    return Session(
        number=row["session"],
        started_wall_s=row["started_wall_s"],
        aerostat=row["aerostat"],
        configuration=row["configuration"],
    )


def _utc(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s, tz=UTC).isoformat(timespec="seconds")
