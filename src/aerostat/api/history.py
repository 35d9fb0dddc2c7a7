"""A guest over time: from the store, else from memory; never more points than asked for."""

from typing import Any

from aerostat.api.recent import NAMES, Sample
from aerostat.api.seat import Seat
from aerostat.model.guest import GuestId
from aerostat.store import StoreError, open_store

POINTS_MAX = 2000


def guest_history(seat: Seat, guest: GuestId, *, since_s: float, points: int) -> dict[str, Any]:
    """Columns of figures over time; null where a figure was absent."""
    now_wall_s = seat.clock.wall_s()
    since_wall_s = now_wall_s - since_s
    source, samples = "store", _stored(seat, guest, since_wall_s, now_wall_s)
    recent = seat.recent.of(guest, since_wall_s=since_wall_s)
    if samples is None:
        source, samples = "memory", recent
    else:
        last_s = samples[-1].wall_s if samples else 0.0
        samples += [sample for sample in recent if sample.wall_s > last_s + 1.0]
    samples = _fewer(samples, points)
    columns = {name: [s.figures.get(name) for s in samples] for name in NAMES}
    return {
        "schema": "aerostat.history/1",
        "source": source,
        "since_s": since_s,
        "at": [round(sample.wall_s, 3) for sample in samples],
        **{name: column for name, column in columns.items() if any(c is not None for c in column)},
    }


def _stored(
    seat: Seat, guest: GuestId, since_wall_s: float, until_wall_s: float
) -> list[Sample] | None:
    if seat.store_path is None:
        return None
    try:
        with open_store(seat.store_path) as reader:
            rows = reader.figures(
                guest, NAMES, since_wall_s=since_wall_s, until_wall_s=until_wall_s
            )
    except StoreError:
        return None
    return [Sample(wall_s=wall_s, figures=figures) for wall_s, figures in rows]


def _fewer(samples: list[Sample], points: int) -> list[Sample]:
    """Of each of so many equal spans the last sample; the very last one always stays."""
    if len(samples) <= points:
        return samples
    span_s = (samples[-1].wall_s - samples[0].wall_s) / points
    kept = {int((sample.wall_s - samples[0].wall_s) / span_s): sample for sample in samples}
    return [kept[number] for number in sorted(kept)]
