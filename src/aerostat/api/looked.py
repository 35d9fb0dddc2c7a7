"""What takes a while to look at: looked at aside, kept for a while, told with its age."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import HTTPException

from aerostat.ports.clock import Clock

Told = dict[str, Any]

PATIENCE_S = 30.0
"""A client waits so long; whoever asks later gets what was found meanwhile."""


class Looked:
    """One thing, looked at by one thread at a time however many ask; for the server's loop."""

    def __init__(
        self, look: Callable[[], Told], clock: Clock, *, kept_s: float, least_s: float
    ) -> None:
        """Prepare.

        Args:
            look: looks, in a thread of its own; may take seconds.
            clock: for ages.
            kept_s: what was found is told again for so long.
            least_s: even whoever wants it fresh gets what is no older than this.
        """
        self._look = look
        self._clock = clock
        self._kept_s = kept_s
        self._least_s = least_s
        self._found: Told | None = None
        self._found_s = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def document(self, *, is_fresh: bool = False) -> Told:
        """What was found, and how long ago.

        Raises:
            HTTPException: it could not be looked at, or not yet.
        """
        if self._age_s() >= (self._least_s if is_fresh else self._kept_s):
            await self._anew()
        if self._found is None:
            raise HTTPException(503, "it is still being looked at: ask again in a moment")
        return {**self._found, "age_s": round(self._age_s(), 3)}

    def _age_s(self) -> float:
        return float("inf") if self._found is None else self._clock.now_s() - self._found_s

    async def _anew(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._find())
        # A client that goes away, or has waited enough, ends nothing for the others.
        done, _ = await asyncio.wait({self._looking}, timeout=PATIENCE_S)
        if done and (error := self._looking.exception()) is not None:
            raise HTTPException(503, f"it could not be looked at: {error}") from error

    async def _find(self) -> None:
        found = await asyncio.to_thread(self._look)
        self._found, self._found_s = found, self._clock.now_s()
