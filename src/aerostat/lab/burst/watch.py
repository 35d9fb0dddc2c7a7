"""Watches a balloon closely, on a monitor connection of its own that stays."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from qemu.qmp import QMPClient

LOOK_S = 0.004
MOST_RATIO = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """When memory came back, on the host's monotonic clock; None: not in time."""

    first_s: float | None
    most_s: float | None
    at_bytes: int


class BalloonWatch:
    """Use as ``async with BalloonWatch(monitor) as watch``."""

    def __init__(self, monitor: Path) -> None:
        self._monitor = monitor
        self._client = QMPClient("burst")
        self._client.events.event_filter = lambda _event: False

    async def __aenter__(self) -> Self:
        await self._client.connect(str(self._monitor))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def actual_bytes(self) -> int:
        """What the guest holds."""
        answer: Any = await self._client.execute("query-balloon")
        return int(answer["actual"])

    async def set_target(self, target_bytes: int) -> None:
        """Ask for a target."""
        await self._client.execute("balloon", {"value": target_bytes})

    async def set_period(self, period_s: int) -> None:
        """Have the guest report so often."""
        interval = {"property": "guest-stats-polling-interval", "value": period_s}
        await self._client.execute("qom-set", {"path": "/machine/peripheral/balloon0", **interval})

    async def until(self, size_bytes: int, deadline_s: float) -> bool:
        """Wait until a balloon that moves is there; False: not within the deadline."""
        give_up_s = time.monotonic() + deadline_s
        while await self.actual_bytes() != size_bytes:
            if time.monotonic() > give_up_s:
                return False
            await asyncio.sleep(0.01)
        return True

    async def returned(self, from_bytes: int, gap_bytes: int, deadline_s: float) -> Returned:
        """Look until 90 % of the gap is back."""
        give_up_s = time.monotonic() + deadline_s
        first_s, actual = None, from_bytes
        while time.monotonic() < give_up_s:
            actual, now_s = await self.actual_bytes(), time.monotonic()
            if actual > from_bytes and first_s is None:
                first_s = now_s
            if actual >= from_bytes + MOST_RATIO * gap_bytes:
                return Returned(first_s=first_s, most_s=now_s, at_bytes=actual)
            await asyncio.sleep(LOOK_S)
        return Returned(first_s=first_s, most_s=None, at_bytes=actual)
