"""What guests wanted, read off a recording: the world that other policies are put into."""

import bisect
from dataclasses import dataclass, field
from typing import Any

from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.plan import GuestTrace
from aerostat.store.recording import Part

HOLD_S = 30.0
"""What a guest used is believed for so long; after that, and without news, it wants nothing."""


@dataclass(slots=True, kw_only=True)
class GuestDemand:
    """One guest through time."""

    name: str
    max_bytes: int = 0
    wall_s: list[float] = field(default_factory=list)
    used_bytes: list[int] = field(default_factory=list)
    seen: int = 0
    hidden: int = 0  # of those: it was at its limit, and may have wanted more

    def at(self, wall_s: float) -> int:
        """What it used at a moment; 0 where nothing was known."""
        i = bisect.bisect_right(self.wall_s, wall_s) - 1
        if i < 0 or wall_s - self.wall_s[i] > HOLD_S:
            return 0
        return self.used_bytes[i]

    def each_second(self, first_wall_s: float, seconds: int) -> Any:
        """The same as ``at`` for so many seconds, as a column, in one go."""
        import numpy as np  # noqa: PLC0415 # of an extra that only worlds need

        asked_s = first_wall_s + np.arange(seconds)
        known_s = np.array(self.wall_s, dtype=np.float64)
        last = np.searchsorted(known_s, asked_s, side="right") - 1
        used = np.zeros(seconds, dtype=np.int64)
        is_known = last >= 0
        is_known[is_known] = asked_s[is_known] - known_s[last[is_known]] <= HOLD_S
        used[is_known] = np.array(self.used_bytes, dtype=np.int64)[last[is_known]]
        return used


@dataclass(slots=True, kw_only=True)
class Demand:
    """All guests of a recording, and what they together could have."""

    guests: dict[GuestId, GuestDemand] = field(default_factory=dict)
    supply_bytes: list[int] = field(default_factory=list)  # of every round that knew it
    first_wall_s: float = 0.0
    last_wall_s: float = 0.0
    params: EngineParams | None = None  # the last in force

    @property
    def hidden_ratio(self) -> float:
        """Share of what was seen of guests that were at their limit."""
        seen = sum(guest.seen for guest in self.guests.values())
        return sum(guest.hidden for guest in self.guests.values()) / seen if seen else 0.0

    @property
    def middle_supply_bytes(self) -> int:
        """The median of what guests together could have."""
        return sorted(self.supply_bytes)[len(self.supply_bytes) // 2] if self.supply_bytes else 0


class SeesDemand:
    """Reads it off parts, full or thinned."""

    def __init__(self) -> None:
        self.found = Demand()

    def add(self, part: Part) -> None:
        """See what the next part shows."""
        demand = self.found
        demand.params = part.params or demand.params
        for record in part.rounds:
            wall_s = record.snapshot.wall_s
            demand.first_wall_s = demand.first_wall_s or wall_s
            demand.last_wall_s = max(demand.last_wall_s, wall_s)
            if record.trace.host.supply_bytes is not None:
                demand.supply_bytes.append(record.trace.host.supply_bytes)
            for guest, trace in zip(record.snapshot.guests, record.trace.guests, strict=True):
                known = demand.guests.setdefault(guest.guest, GuestDemand(name=guest.name))
                _see(known, guest, trace, wall_s)


def _see(known: GuestDemand, guest: GuestSnapshot, trace: GuestTrace, wall_s: float) -> None:
    known.max_bytes = max(known.max_bytes, guest.max_bytes or 0)
    is_alive = guest.run_state in (RunState.RUNNING, RunState.MIGRATING)
    # A wall clock that went back: what comes before what is known already tells nothing new.
    if trace.used_bytes is None or not is_alive or (known.wall_s and wall_s <= known.wall_s[-1]):
        return
    known.wall_s.append(wall_s)
    known.used_bytes.append(trace.used_bytes)
    known.seen += 1
    known.hidden += trace.is_distressed
