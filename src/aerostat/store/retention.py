"""How long rounds are kept, and how much room they may take."""

import sqlite3
from dataclasses import dataclass

from aerostat.store.coarsening import Coarsening
from aerostat.store.schema import pragma
from aerostat.units import MIB

CHUNK_ROUNDS = 500
"""So many rounds are deleted in one transaction: no other round waits long for it."""

_CHUNKS_MAX = 200
"""A pass ends after so many; the next one goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What may stay."""

    keep_s: float = 7 * 86_400.0
    fine_s: float = 86_400.0  # older samples are thinned out to one in five minutes
    size_bytes_max: int = 256 * MIB  # of the database file; its log beside it is a few MiB
    tape_s: float | None = None  # rounds in full; None: none are written


def apply(
    connection: sqlite3.Connection, retention: Retention, coarsening: Coarsening, *, wall_s: float
) -> bool:
    """Thin out what is old, delete what is too old, then the oldest until the rest fits.

    Returns:
        True if anything went.

    Raises:
        sqlite3.Error: it could not be done now; what was deleted so far stays deleted.
    """
    deleted = _tidy_tape(connection, retention, wall_s=wall_s)
    deleted |= coarsening.apply(connection, wall_s=wall_s)
    for _ in range(_CHUNKS_MAX):
        first, newest = connection.execute("SELECT min(round), max(round) FROM round").fetchone()
        if first is None:
            break
        last = _last_to_delete(connection, retention, first=first, wall_s=wall_s)
        # The newest round always stays: it says when the daemon last wrote.
        if last is None or first == newest:
            break
        connection.execute("DELETE FROM round WHERE round <= ?", (min(last, newest - 1),))
        deleted = True
    if deleted:
        _delete_the_unnamed(connection)
        # Pages given back come out of the file; without a limit this may take long once.
        connection.execute("PRAGMA incremental_vacuum(4096)").fetchall()
    return deleted


def _tidy_tape(connection: sqlite3.Connection, retention: Retention, *, wall_s: float) -> bool:
    """Delete what is too old of the tape, and its oldest until it takes half the room at most."""
    keep_s = retention.keep_s if retention.tape_s is None else retention.tape_s
    last = connection.execute(
        "SELECT max(chunk) FROM (SELECT chunk, last_wall_s,"
        " sum(length(payload)) OVER (ORDER BY chunk DESC) AS since_bytes FROM tape)"
        " WHERE last_wall_s < ? OR since_bytes > ?",
        (wall_s - keep_s, retention.size_bytes_max // 2),
    ).fetchone()[0]
    if last is None:
        return False
    connection.execute("DELETE FROM tape WHERE chunk <= ?", (last,))
    return True


def _last_to_delete(
    connection: sqlite3.Connection, retention: Retention, *, first: int, wall_s: float
) -> int | None:
    chunk = connection.execute(
        "SELECT round, wall_s FROM round WHERE round >= ? ORDER BY round LIMIT ?",
        (first, CHUNK_ROUNDS),
    ).fetchall()
    if used_bytes(connection) > retention.size_bytes_max:
        return int(chunk[-1][0] if len(chunk) == CHUNK_ROUNDS else chunk[len(chunk) // 2][0])
    old = [number for number, at_s in chunk if at_s < wall_s - retention.keep_s]
    return old[-1] if old else None


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the database holds, not counting pages that are free for reuse."""
    pages = pragma(connection, "page_count") - pragma(connection, "freelist_count")
    return pages * pragma(connection, "page_size")


def _delete_the_unnamed(connection: sqlite3.Connection) -> None:
    """Guests and sessions of which no round is left."""
    # A sample and a change of target always have a decision beside them.
    connection.execute(
        "DELETE FROM guest WHERE NOT EXISTS (SELECT 1 FROM decision WHERE guest = number)"
        " AND NOT EXISTS (SELECT 1 FROM event WHERE guest = number)"
    )
    connection.execute(
        "DELETE FROM session WHERE session <"
        " (SELECT min(session) FROM (SELECT session FROM round UNION SELECT session FROM tape))"
    )
