"""Serves the API from a thread of its own: whatever happens here, the loop balances on."""

import asyncio
import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from aerostat.api.app import create_app
from aerostat.api.gate import Gate, Rates, Tokens
from aerostat.api.seat import Seat
from aerostat.api.stream import Stream

CLOSE_S = 3.0
"""At the end requests under way get so long."""

CONNECTIONS_MAX = 128
KEEP_ALIVE_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One socket, and who may do what on it."""

    where: str  # for people
    socket: socket.socket
    tokens: Tokens | None = None  # None: a Unix socket, guarded by its file
    rates: Rates = Rates()
    certificate: Path | None = None
    key: Path | None = None
    path: Path | None = None  # of a Unix socket: it is removed at the end


class ApiServer:
    """A thread with all listeners in it."""

    def __init__(self, seat: Seat, listeners: Sequence[Listener]) -> None:
        self._seat = seat
        self._listeners = tuple(listeners)
        self._stream = Stream()
        self._servers: list[uvicorn.Server] = []
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def __enter__(self) -> Self:
        self._seat.board.follow(self._stream.follow)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closing.set()
        for server in self._servers:
            server.should_exit = True
        self._thread.join(CLOSE_S)
        if self._seat.readers is not None:
            self._seat.readers.close()
        for listener in self._listeners:
            listener.socket.close()
            if listener.path is not None:
                with contextlib.suppress(OSError):
                    listener.path.unlink()

    def _run(self) -> None:
        failure = None
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 # the daemon does without its API
            failure = f"{type(error).__name__}: {error}"
        if failure is not None and not self._is_closing.is_set():
            structlog.get_logger().error("api_failed", detail=failure)

    async def _serve(self) -> None:
        _quieten()
        self._stream.serve_in(asyncio.get_running_loop())
        app = create_app(self._seat, self._stream)
        self._servers = [self._server(app, listener) for listener in self._listeners]
        if self._is_closing.is_set():
            return
        pairs = zip(self._servers, self._listeners, strict=True)
        await asyncio.gather(*(self._served(server, listener) for server, listener in pairs))

    async def _served(self, server: uvicorn.Server, listener: Listener) -> None:
        """Serve one socket; what ends it leaves the others alone."""
        try:
            await server.serve(sockets=[listener.socket])
        except Exception as error:  # noqa: BLE001 # the daemon, and its other sockets, do without
            if not self._is_closing.is_set():
                detail = f"{listener.where}: {type(error).__name__}: {error}"
                structlog.get_logger().error("api_failed", detail=detail)

    def _server(self, app: Callable[..., Any], listener: Listener) -> uvicorn.Server:
        return uvicorn.Server(
            uvicorn.Config(
                Gate(
                    app, tokens=listener.tokens, rates=listener.rates, now_s=self._seat.clock.now_s
                ),
                http=KnownPeer,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=32 * 1024,
                ssl_certfile=None if listener.certificate is None else str(listener.certificate),
                ssl_keyfile=None if listener.key is None else str(listener.key),
            )
        )


class KnownPeer(H11Protocol):
    """On a Unix socket the kernel knows who the other side is: that is who gave a command."""

    def connection_made(self, transport: Any) -> None:
        """Take a connection."""
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family == socket.AF_UNIX:
            form = struct.Struct("3i")
            raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, form.size)
            pid, uid, _ = form.unpack(raw)
            self.client = (f"uid {uid}, pid {pid}", 0)


def _quieten() -> None:
    """The server's own log lines are none of the daemon's; what matters is told by ours."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        log = logging.getLogger(name)
        log.handlers[:] = [logging.NullHandler()]
        log.propagate = False
