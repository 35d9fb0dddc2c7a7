"""Our turns at a monitor that others use too: connect, act, leave, and wait in the queue between.

Who gives up waiting leaves a dead entry in QEMU's short queue, which keeps others out. So a place
in the queue, once taken, is kept until QEMU gets to it, whoever of us waits for it meanwhile.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from aerostat.drivers.qmp.session import QmpSession
from aerostat.drivers.sockets.errors import NotConnectedError

HELD = "another client holds its monitor, or QEMU hangs"


class BusyError(NotConnectedError):
    """It is not our turn yet: another client is served, or QEMU hangs. Nothing was sent."""


class Turns:
    """Short connections to one monitor, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one_at_a_time = asyncio.Lock()
        self._queued: tuple[QmpSession, asyncio.Task[None]] | None = None

    @property
    def is_queued(self) -> bool:
        """Whether a turn of ours is to come, which must not pass unused: it would hold others."""
        return self._queued is not None

    @contextlib.asynccontextmanager
    async def turn(self, *, wait_s: float) -> AsyncIterator[QmpSession]:
        """A connection that can be asked, and that ends with the block.

        Raises:
            BusyError: it was not our turn within ``wait_s``; the place in the queue is kept.
            NotListeningError, NotConnectedError, ViolationError: there is no monitor to be asked.
        """
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + wait_s
        try:
            async with asyncio.timeout_at(give_up_s):
                await self._one_at_a_time.acquire()
        except TimeoutError as error:
            raise BusyError("another operation waits for it") from error
        try:
            session = await self._greeted(give_up_s - loop.time())
            try:
                yield session
            finally:
                await session.close()
        finally:
            self._one_at_a_time.release()

    async def close(self) -> None:
        """Leave the queue."""
        if self._queued is not None:
            (session, greeting), self._queued = self._queued, None
            greeting.cancel()
            await asyncio.gather(greeting, return_exceptions=True)
            await session.close()

    async def _greeted(self, wait_s: float) -> QmpSession:
        if self._queued is None:
            session = QmpSession(self._path, on_event=lambda _name, _data: None)
            session.knock()
            self._queued = (session, asyncio.create_task(session.greet()))
        session, greeting = self._queued
        await asyncio.wait({greeting}, timeout=wait_s)
        if not greeting.done():
            raise BusyError(HELD)
        self._queued = None
        if greeting.exception() is not None:
            await session.close()
        greeting.result()
        return session
