"""Reads what was decided about a guest: of all decisions a little, of some of them everything."""

import json
from collections.abc import Sequence

from aerostat.model.guest import GuestId
from aerostat.model.reasons import Reason
from aerostat.store import rows
from aerostat.store.asking import Asked, Row
from aerostat.store.kept import Move
from aerostat.store.moves import Decided, News

_JOINED = "FROM decision d JOIN guest g ON g.number = d.guest JOIN round r ON r.round = d.round"
DECISIONS = f"SELECT r.wall_s, r.was_enforced, g.guest, g.name, d.* {_JOINED}"
"""Decisions in full."""

_IS_CHANGE = "EXISTS (SELECT 1 FROM target_change c WHERE c.round = d.round AND c.guest = d.guest)"
_DECIDED = (
    "SELECT d.round, r.wall_s, r.was_enforced, d.reason, d.target_bytes, d.actual_bytes,"
    f" {_IS_CHANGE} AS is_change {_JOINED}"
)
"""So much of every decision: most say nothing new, and are not read in full."""


class Decisions:
    """Those of an open store. All methods raise StoreError where it cannot be read."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def made(
        self, guest: GuestId, *, since_wall_s: float, until_wall_s: float, after_round: int = 0
    ) -> list[Decided]:
        """What was decided in this time, and after this round of the store, in order."""
        return self._decided(
            "WHERE g.guest = ? AND r.wall_s BETWEEN ? AND ? AND d.round > ? ORDER BY d.round",
            guest,
            since_wall_s,
            until_wall_s,
            after_round,
        )

    def before(self, guest: GuestId, round_number: int) -> Decided | None:
        """What was decided last before a round."""
        found = self._decided(
            "WHERE g.guest = ? AND d.round < ? ORDER BY d.round DESC LIMIT 1", guest, round_number
        )
        return found[0] if found else None

    def in_full(self, guest: GuestId, news: Sequence[News]) -> tuple[Move, ...]:
        """The decisions that were news; what has just been thinned out is no longer there."""
        found = self._asked.rows(
            f"{DECISIONS} WHERE g.guest = ? AND d.round IN (SELECT value FROM json_each(?))",  # noqa: S608 # ours
            guest,
            json.dumps([one.decided.round for one in news]),
        )
        row_of = {row["round"]: row for row in found}
        with self._asked.told():
            kept = (one for one in news if one.decided.round in row_of)
            return tuple(_move(one, row_of[one.decided.round]) for one in kept)

    def _decided(self, condition: str, *values: object) -> list[Decided]:
        found = self._asked.rows(f"{_DECIDED} {condition}", *values)
        with self._asked.told():
            return [_decided(row) for row in found]


def _decided(row: Row) -> Decided:
    return Decided(
        round=row["round"],
        wall_s=row["wall_s"],
        was_enforced=bool(row["was_enforced"]),
        is_change=bool(row["is_change"]),
        reason=Reason(row["reason"]),
        target_bytes=row["target_bytes"],
        actual_bytes=row["actual_bytes"],
    )


def _move(news: News, row: Row) -> Move:
    return Move(
        wall_s=news.decided.wall_s,
        was_enforced=news.decided.was_enforced,
        is_change=news.decided.is_change,
        trace=rows.trace_of(row),
        reached_after_s=news.reached_after_s,
        last_actual_bytes=news.last_actual_bytes,
        is_last=news.is_last,
    )
