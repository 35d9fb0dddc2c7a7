"""A monitor on a Unix socket, speaking QMP: one client at a time, the others wait unanswered."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.qemu.commands import Commands, RefusedError
from aerostat.sim.qemu.stream import messages
from aerostat.sim.world import World

_ANSWER_S = 0.0005
"""How long QEMU takes for a command; measured: 0.4 to 0.5 ms."""
_LOOK_S = 0.1
_GREETING = {
    "QMP": {
        "version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": "simulated"},
        "capabilities": ["oob"],
    }
}


class Monitor:
    """One VM's monitor, from ``open`` to ``close``."""

    def __init__(self, world: World, guest: SimulatedGuest, path: Path) -> None:
        self.path = path
        self._guest = guest
        self._world = world
        self._commands = Commands(world, guest)
        self._turn = asyncio.Lock()  # QEMU serves one client and lets others queue
        self._server: asyncio.Server | None = None
        self._client: asyncio.StreamWriter | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def close(self) -> None:
        """QEMU has ended: its connections break, and its socket is gone."""
        assert self._server is not None, "open first"
        self._server.close()
        self.path.unlink(missing_ok=True)
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def hang_up(self) -> None:
        """Break the connection of the client that is served, if there is one."""
        if self._client is not None:
            self._client.transport.abort()

    def tell(self, event: str, data: Mapping[str, Any] | None = None) -> None:
        """Send an event to the client, if one is connected."""
        if self._client is not None and not self._guest.faults.is_hung:
            wall_s = self._world.wall_s
            stamp = {"seconds": int(wall_s), "microseconds": int(wall_s % 1 * 1e6)}
            _write(self._client, {"event": event, "timestamp": stamp, "data": dict(data or {})})

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            async with self._turn:
                await self._serve(reader, writer)
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # the client has gone or speaks no JSON, or QEMU has ended
        finally:
            self._serving.discard(task)
            self._client = None
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _write(writer, _GREETING)
        async for untrusted in messages(reader):
            await self._until_it_answers()
            answer = self._answer(untrusted)
            if self._guest.faults.loses_replies and _is_target(untrusted):
                continue  # carried out, and nobody hears of it
            await asyncio.sleep(_ANSWER_S)
            _write(writer, answer)
            await writer.drain()
            self._client = writer  # events come once a client has said that it is ready

    async def _until_it_answers(self) -> None:
        """A QEMU that hangs keeps what was sent, and carries it all out when it wakes."""
        while self._guest.faults.is_hung:  # noqa: ASYNC110 # a plain switch: it wakes nobody
            await asyncio.sleep(_LOOK_S)

    def _answer(self, untrusted: object) -> Mapping[str, object]:
        if not isinstance(untrusted, dict) or not isinstance(untrusted.get("execute"), str):
            return _error(None, "GenericError", "QMP input lacks member 'execute'")
        name, arguments = untrusted["execute"], untrusted.get("arguments") or {}
        known = untrusted.get("id")
        if name == "qmp_capabilities":
            return _with_id(known, {"return": {}})
        try:
            return _with_id(known, {"return": self._commands.answer(name, arguments)})
        except RefusedError as error:
            return _error(known, error.kind, str(error))


def _is_target(untrusted: object) -> bool:
    return isinstance(untrusted, dict) and untrusted.get("execute") == "balloon"


def _error(known: object, kind: str, words: str) -> Mapping[str, object]:
    return _with_id(known, {"error": {"class": kind, "desc": words}})


def _with_id(known: object, answer: dict[str, object]) -> Mapping[str, object]:
    return answer if known is None else {**answer, "id": known}


def _write(writer: asyncio.StreamWriter, message: Mapping[str, object]) -> None:
    writer.write(json.dumps(message).encode() + b"\r\n")
