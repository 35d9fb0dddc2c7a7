"""A guest over time: from the store, else from memory; never more points than asked for."""

from collections.abc import Sequence
from typing import Any

from aerostat.api.recent import NAMES, Row
from aerostat.api.seat import Seat
from aerostat.model.guest import GuestId
from aerostat.store import StoreError

POINTS_MAX = 2000


def guest_history(seat: Seat, guest: GuestId, *, since_s: float, points: int) -> dict[str, Any]:
    """Columns of figures over time; null where a figure was absent."""
    now_wall_s = seat.clock.wall_s()
    since_wall_s = now_wall_s - since_s
    source, rows = "store", _stored(seat, guest, since_wall_s, now_wall_s)
    recent = seat.recent.of(guest, since_wall_s=since_wall_s)
    if rows is None:
        source, rows = "memory", recent
    else:
        last_s = rows[-1][0] if rows else 0.0
        rows += [row for row in recent if row[0] > last_s + 1.0]
    walls_s, *columns = zip(*_fewer(rows, points), strict=True) if rows else [()]
    return {
        "schema": "aerostat.history/1",
        "source": source,
        "since_s": since_s,
        "at": [round(wall_s, 3) for wall_s in walls_s],
        **{
            name: column
            for name, column in zip(NAMES, columns, strict=False)
            if any(figure is not None for figure in column)
        },
    }


def _stored(
    seat: Seat, guest: GuestId, since_wall_s: float, until_wall_s: float
) -> list[Row] | None:
    if seat.readers is None:
        return None
    try:
        with seat.readers.lent() as reader:
            return reader.figures(
                guest, NAMES, since_wall_s=since_wall_s, until_wall_s=until_wall_s
            )
    except StoreError:
        return None


def _fewer(rows: Sequence[Row], points: int) -> Sequence[Row]:
    """Of each of so many equal spans the last row; the very last one always stays."""
    if len(rows) <= points:
        return rows
    first_s = rows[0][0]
    span_s = (rows[-1][0] - first_s) / points
    kept = {int((row[0] - first_s) / span_s): row for row in rows}
    return [kept[number] for number in sorted(kept)]
