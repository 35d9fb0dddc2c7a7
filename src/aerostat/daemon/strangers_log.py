"""Tells when somebody else has set a guest's target: its balloon inflates below ours."""

import structlog

from aerostat.model.guest import GuestId
from aerostat.policy.columns import ABSENT
from aerostat.ports.journal import RoundRecord

_AGAIN_S = 60.0
"""Who sets targets every few seconds, as another balancer would, is told of so seldom."""


class StrangersLog:
    """Follows rounds. The engine drops a target that was reached and does not stand any more."""

    def __init__(self) -> None:
        self._before: RoundRecord | None = None
        self._told_s: dict[GuestId, float] = {}

    def show(self, record: RoundRecord) -> None:
        """Say whose target another has replaced; what the engine did last round shows now."""
        before, self._before = self._before, record
        if before is None or before.state is None or record.state is None:
            return
        now_s = record.trace.now_s
        left = dict(zip(record.state.guests, record.state.memory.target_bytes, strict=True))
        reached = {
            guest: target
            for guest, target, has_arrived in zip(
                before.state.guests,
                before.state.memory.target_bytes,
                before.state.memory.has_arrived,
                strict=True,
            )
            if has_arrived == 1 and target != ABSENT
        }
        for guest in before.snapshot.guests:
            target = reached.get(guest.guest)
            is_dropped = left.get(guest.guest) == ABSENT
            if target is None or not is_dropped or (guest.actual_bytes or target) >= target:
                continue
            if now_s - self._told_s.get(guest.guest, -_AGAIN_S) >= _AGAIN_S:
                self._told_s[guest.guest] = now_s
                structlog.get_logger().warning(
                    "foreign_target",
                    guest=guest.name,
                    target_bytes=target,
                    actual_bytes=guest.actual_bytes,
                )
