"""The last minutes of every guest in memory: for charts while there is no store, or a full disk."""

import struct
from collections import deque
from typing import Any

from aerostat.control.board import Status
from aerostat.model.guest import GuestId
from aerostat.model.plan import GuestTrace

SAMPLE_S = 5.0
"""One sample in so long."""

SAMPLES = 180
"""So many of each guest: a quarter of an hour, 18 KiB a guest."""

NAMES = (
    "target_bytes", "actual_bytes", "used_bytes", "cache_bytes", "free_bytes", "demand_bytes",
    "swap_in_bytes_per_s", "swap_out_bytes_per_s", "pressure_some_ratio", "host_swap_bytes",
    "available_bytes",
)  # fmt: skip
_ROW = struct.Struct(f"<{1 + len(NAMES)}d")
_ABSENT = -1.0


Row = tuple[Any, ...]
"""A guest at one moment: Unix seconds, then these figures in this order; None: it was absent."""


class Recent:
    """Follows the status board, in the loop's thread; may be read from any."""

    def __init__(self) -> None:
        self._rows: dict[GuestId, deque[bytes]] = {}
        self._last_s: float | None = None
        self.taken = 0  # samples so far, of all guests at once

    def follow(self, status: Status) -> None:
        """Take a sample of the last round, now and then."""
        record = status.last
        if record is None:
            return
        now_s = record.snapshot.now_s
        if self._last_s is not None and 0 <= now_s - self._last_s < SAMPLE_S:
            return
        self._last_s = now_s
        rows = {}
        for trace in record.trace.guests:
            row = self._rows.get(trace.guest)
            rows[trace.guest] = deque(maxlen=SAMPLES) if row is None else row
            rows[trace.guest].append(_packed(record.snapshot.wall_s, trace))
        self._rows = rows  # who is gone is forgotten
        self.taken += 1

    def series(self, name: str, *, step: int) -> dict[GuestId, list[float | None]]:
        """One figure of every guest, oldest first, of every so many samples one."""
        figure = struct.Struct("<d")
        offset = figure.size * (1 + NAMES.index(name))
        series: dict[GuestId, list[float | None]] = {}
        for guest, rows in self._rows.items():
            values = (figure.unpack_from(row, offset)[0] for row in list(rows)[::step])
            series[guest] = [None if value == _ABSENT else value for value in values]
        return series

    def of(self, guest: GuestId, *, since_wall_s: float = 0.0) -> list[Row]:
        """A guest's samples, oldest first."""
        unpacked = (_ROW.unpack(row) for row in list(self._rows.get(guest, ())))
        return [
            tuple(None if figure == _ABSENT else figure for figure in row)
            for row in unpacked
            if row[0] >= since_wall_s
        ]


def _packed(wall_s: float, trace: GuestTrace) -> bytes:
    figures = (getattr(trace, name) for name in NAMES)
    return _ROW.pack(wall_s, *(_ABSENT if figure is None else float(figure) for figure in figures))
