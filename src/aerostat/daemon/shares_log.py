"""Tells of guests in distress whose share by weight others hold, who cannot be made to give it."""

from dataclasses import dataclass, field

import structlog

from aerostat.model.guest import GuestId
from aerostat.model.plan import GuestTrace, RoundTrace

TOLD_AFTER_S = 10.0
"""Takes from calm guests need a few seconds: what lasts longer will not end by itself."""
OVER_AFTER_S = 10.0
"""Distress comes and goes within seconds: it is over when it has not come back for so long."""


@dataclass(slots=True)
class _Owed:
    name: str
    since_s: float
    last_s: float
    is_told: bool = False


@dataclass(slots=True)
class SharesLog:
    """Follows rounds: says when a share begins to be withheld, and when that is over."""

    _owed: dict[GuestId, _Owed] = field(default_factory=dict)

    def show(self, trace: RoundTrace) -> None:
        """Say what is new in this round."""
        for guest in trace.guests:
            if guest.is_owed:
                self._follow(guest, trace)
        for gone in [g for g, o in self._owed.items() if trace.now_s - o.last_s >= OVER_AFTER_S]:
            owed = self._owed.pop(gone)
            if owed.is_told:
                structlog.get_logger().info("share_withheld_over", guest=owed.name)

    def _follow(self, guest: GuestTrace, trace: RoundTrace) -> None:
        now_s = trace.now_s
        owed = self._owed.setdefault(guest.guest, _Owed(guest.name, now_s, now_s))
        owed.last_s = now_s
        if owed.is_told or now_s - owed.since_s < TOLD_AFTER_S:
            return
        owed.is_told = True
        holders = [g for g in trace.guests if (g.actual_bytes or 0) > (g.due_bytes or 0) > 0]
        structlog.get_logger().warning(
            "share_withheld",
            guest=guest.name,
            due_bytes=guest.due_bytes,
            actual_bytes=guest.actual_bytes,
            held_by=[g.name for g in holders],
        )
