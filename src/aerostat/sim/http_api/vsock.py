"""A VMM's end of hybrid vsock, and a guest behind it that calls the host."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from aerostat.drivers.agent import VSOCK_PORT
from aerostat.drivers.sockets.errors import SessionError
from aerostat.drivers.sockets.knock import knock

CALL_GAP_S = 0.1


class VsockGuest:
    """A VM's vsock at a path, for use in an ``async with`` block, and its agent.

    The VMM listens at that path itself, for calls to the guest, and nobody makes any. What
    the guest calls, it passes on to that path with the port behind it, if somebody listens there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._own = await asyncio.start_unix_server(_refuse, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        assert self._own is not None
        self._own.close()
        self.path.unlink(missing_ok=True)

    async def call(self, port: int = VSOCK_PORT) -> None:
        """The agent calls, again and again, until the host listens."""
        while True:
            with contextlib.suppress(SessionError):  # the guest is told that nobody listens
                # Not asyncio's way: that takes a queue that is full for a connection.
                called = knock(Path(f"{self.path}_{port}"))
                _, self._writer = await asyncio.open_unix_connection(sock=called)
                return
            await asyncio.sleep(CALL_GAP_S)

    async def say(self, **figures: object) -> None:
        """The agent writes a line.

        Raises:
            ConnectionError: the host has hung up.
        """
        line: Mapping[str, object] = {"aerostat": 1, "uptime_s": 5.0, **figures}
        await self.send(json.dumps(line).encode() + b"\n")

    async def send(self, data: bytes) -> None:
        """Whatever is in the guest writes whatever it likes.

        Raises:
            ConnectionError: the host has hung up.
        """
        assert self._writer is not None, "call first"
        self._writer.write(data)
        await self._writer.drain()

    async def hang_up(self) -> None:
        """The agent ends, and what it has said comes through."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if writer.transport.get_write_buffer_size():
            writer.transport.abort()  # nobody reads that any more
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """No guest of ours listens at any port."""
    writer.close()
