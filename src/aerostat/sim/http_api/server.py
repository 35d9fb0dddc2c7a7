"""One VM's API on a Unix socket: requests of all connections are served one after the other."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import h11

from aerostat.sim.faults import Faults
from aerostat.sim.http_api.wire import Answer, Request, encoded, next_request

_ANSWER_S = 0.0005
"""How long an answer takes; QEMU's, measured, for want of the real ones."""
_LOOK_S = 0.1
_CONNECTIONS_MAX = 10  # both servers refuse the eleventh


Answerer = Callable[[Request], Answer]


class ApiServer:
    """Serves one VM's API from ``open`` to ``close``.

    Args:
        path: the socket.
        answer: carries a request out, at once.
        faults: what is wrong with the VM just now.
    """

    def __init__(self, path: Path, answer: Answerer, faults: Callable[[], Faults]) -> None:
        self.path = path
        self._answer = answer
        self._faults = faults
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def close(self) -> None:
        """The process has ended: its connections break, and its socket is gone."""
        assert self._server is not None, "open first"
        self._server.close()
        self.path.unlink(missing_ok=True)
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def hang_up(self) -> None:
        """Break all connections."""
        for writer in self._serving.values():
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._serving) >= _CONNECTIONS_MAX:
            writer.close()
            return
        self._serving[task] = writer
        try:
            await self._serve(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the client has gone or speaks no HTTP, or the process has ended
        finally:
            del self._serving[task]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while (request := await next_request(connection, reader)) is not None:
            async with self._turn:
                await self._until_it_answers()
                answer = self._answer(request)
                await asyncio.sleep(_ANSWER_S)
            if not answer.is_lost:
                writer.write(encoded(connection, answer))
                await writer.drain()
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                if answer.is_lost:
                    await reader.read()  # until the client gives up
                return
            connection.start_next_cycle()

    async def _until_it_answers(self) -> None:
        """A process that hangs keeps what was sent, and carries it all out when it wakes."""
        while self._faults().is_hung:  # noqa: ASYNC110 # a plain switch: it wakes nobody
            await asyncio.sleep(_LOOK_S)
