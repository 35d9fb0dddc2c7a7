"""Of what is a day old, one sample in five minutes stays, and everything that was news.

A week of samples every ten seconds would fill the room that a month of decisions could have.
"""

import sqlite3

from aerostat.engine.believe import ARRIVED_BYTES

BUCKET_S = 300.0
"""Of samples that tell nothing new, one in so long stays."""

WINDOW_S = 2 * BUCKET_S
"""So much time is looked at in one transaction: no round waits long for it."""

_WINDOWS_MAX = 72
"""A pass ends after so many; the next one goes on."""

# A decision that says what the one before it of the same guest said, in the same five minutes, and
# led to nothing: of those a person loses nothing when they go.
_ROUTINE = """
SELECT round, guest FROM (
    SELECT d.round, d.guest,
        (d.reason, d.bound, d.is_distressed, d.is_stalled, d.is_doubted, s.run_state) =
            (lag(d.reason) OVER w, lag(d.bound) OVER w, lag(d.is_distressed) OVER w,
             lag(d.is_stalled) OVER w, lag(d.is_doubted) OVER w, lag(s.run_state) OVER w)
        AND d.target_bytes IS lag(d.target_bytes) OVER w
        AND (abs(d.actual_bytes - d.target_bytes) <= :arrived) IS
            lag(abs(d.actual_bytes - d.target_bytes) <= :arrived) OVER w
        AND (s.trouble IS NULL) = lag(s.trouble IS NULL) OVER w
        AND CAST(r.wall_s / :bucket AS INTEGER) = lag(CAST(r.wall_s / :bucket AS INTEGER)) OVER w
        AND r.session = lag(r.session) OVER w
        AS is_same
    FROM round r JOIN decision d ON d.round = r.round
    JOIN sample s ON s.round = d.round AND s.guest = d.guest
    WHERE r.wall_s >= :since AND r.wall_s < :until
    WINDOW w AS (PARTITION BY d.guest ORDER BY d.round)
) found
WHERE is_same
AND NOT EXISTS (SELECT 1 FROM target_change c WHERE c.round = found.round AND c.guest = found.guest)
AND NOT EXISTS (SELECT 1 FROM event e WHERE e.round = found.round AND e.guest = found.guest)
"""
_EMPTY_ROUNDS = """
DELETE FROM round WHERE round IN (
    SELECT round FROM (
        SELECT round, (state, effect) IS (lag(state) OVER w, lag(effect) OVER w)
            AND CAST(wall_s / :bucket AS INTEGER) = lag(CAST(wall_s / :bucket AS INTEGER)) OVER w
            AND session = lag(session) OVER w AS is_same
        FROM round WHERE wall_s >= :since AND wall_s < :until
        WINDOW w AS (ORDER BY round)
    ) found
    WHERE is_same
    AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.round = found.round)
    AND NOT EXISTS (SELECT 1 FROM event e WHERE e.round = found.round)
)
"""


class Coarsening:
    """Works its way through what has become old; begins anew with every run of the daemon."""

    def __init__(self, fine_s: float) -> None:
        self._fine_s = fine_s
        self._done_wall_s: float | None = None

    def apply(self, connection: sqlite3.Connection, *, wall_s: float) -> bool:
        """Coarsen some of what is older than a day; True if anything went.

        Raises:
            sqlite3.Error: it could not be done now; what was deleted so far stays deleted.
        """
        until_s = (wall_s - self._fine_s) // BUCKET_S * BUCKET_S
        deleted = False
        for _ in range(_WINDOWS_MAX):
            since_s = self._next_wall_s(connection, until_s)
            if since_s is None:
                break
            end_s = min(since_s + WINDOW_S, until_s)
            deleted |= _coarsen(connection, since_s, end_s)
            self._done_wall_s = end_s
        return deleted

    def _next_wall_s(self, connection: sqlite3.Connection, until_s: float) -> float | None:
        """Where the next window begins; None: all that is old has been seen."""
        found = connection.execute(
            "SELECT min(wall_s) FROM round WHERE wall_s >= ? AND wall_s < ?",
            (self._done_wall_s or 0.0, until_s),
        ).fetchone()[0]
        return None if found is None else found // BUCKET_S * BUCKET_S


def _coarsen(connection: sqlite3.Connection, since_s: float, until_s: float) -> bool:
    span = {"since": since_s, "until": until_s, "bucket": BUCKET_S, "arrived": ARRIVED_BYTES}
    connection.execute("BEGIN IMMEDIATE")
    try:
        routine = connection.execute(_ROUTINE, span).fetchall()
        for table in ("sample", "decision"):
            connection.executemany(f"DELETE FROM {table} WHERE round = ? AND guest = ?", routine)  # noqa: S608 # two names of ours
        rounds = connection.execute(_EMPTY_ROUNDS, span).rowcount
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return bool(routine or rounds)
