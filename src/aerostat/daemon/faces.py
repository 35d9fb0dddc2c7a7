"""The faces around a loop: the API on its sockets. None of them can hold the loop up, or end it."""

import asyncio
import concurrent.futures
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from aerostat.api.gate import Tokens
from aerostat.api.listen import ListenError, tcp_socket, unix_socket
from aerostat.api.seat import LoopBusyError, Seat
from aerostat.api.server import ApiServer, Listener
from aerostat.config import Config
from aerostat.control.loop import Loop
from aerostat.control.orders import Ask
from aerostat.daemon.reload import Reloader
from aerostat.host.techniques.savings import read_techniques
from aerostat.model.admission import Admission
from aerostat.model.host import HostSnapshot
from aerostat.places import api_socket_to_serve, store_path_to_write
from aerostat.ports.clock import Clock
from aerostat.store import Health, Store

Examine = Callable[[Config, HostSnapshot | None], dict[str, Any]]
"""Goes round the host, given what is declared and what the loop saw last; takes seconds."""

TAKEN_S = 2.0
"""A loop that has not taken a command after so long is busy, or hangs."""

TURN_S = 0.001
"""While a round is worked out, whoever answers waits so long for its turn, again after each call of
the system: with Python's own 5 ms a request took as long as the whole round."""

TOKEN_LENGTH_MIN = 16


@contextmanager
def faces(
    loop: Loop,
    reloader: Reloader,
    clock: Clock,
    store: Store | None,
    examine: Examine | None = None,
) -> Iterator[None]:
    """Serve the API for the length of a block, as far as it can be."""
    config = reloader.config
    if not config.document.api.enabled:
        yield
        return
    seat = Seat(
        board=loop.board,
        clock=clock,
        config=lambda: reloader.config,
        ask=loop_asker(loop),
        store_path=None if store is None else config.store_path or store_path_to_write(),
        health=Health if store is None else store.health,
        started_wall_s=clock.wall_s(),
        doctor=None if examine is None else partial(_examined, examine, loop, reloader),
        techniques=read_techniques,
    )
    seat.follow()
    with ExitStack() as stack:
        if listeners := _listeners(config):
            where = [listener.where for listener in listeners]
            structlog.get_logger().info("api_listening", sockets=where)
            sys.setswitchinterval(TURN_S)
            stack.enter_context(ApiServer(seat, listeners))
        yield


def _examined(examine: Examine, loop: Loop, reloader: Reloader) -> dict[str, Any]:
    record = loop.board.status.last
    return examine(reloader.config, None if record is None else record.snapshot)


def _listeners(config: Config) -> list[Listener]:
    """What can be listened on; what cannot is told, and the daemon does without."""
    listeners = []
    for make in (_unix, _tcp):
        try:
            listener = make(config)
        except ListenError as error:
            structlog.get_logger().error("api_trouble", detail=str(error))
        else:
            listeners += [] if listener is None else [listener]
    return listeners


def _unix(config: Config) -> Listener:
    api = config.document.api
    path = api_socket_to_serve() if api.socket is None else Path(api.socket)
    listener = unix_socket(path, mode=api.socket_mode, group=api.socket_group)
    return Listener(where=str(path), socket=listener, path=path)


def _tcp(config: Config) -> Listener | None:
    api = config.document.api
    if api.listen is None or api.token_file is None:
        return None
    control = _token(Path(api.token_file))
    read = None if api.read_token_file is None else _token(Path(api.read_token_file))
    if read == control:
        raise ListenError(
            f"{api.read_token_file}: the token that may only read is the one that may command: "
            "write another secret into it"
        )
    certificate, key = _pair(api.certificate, api.key)
    host, _, port = api.listen.rpartition(":")
    listener = tcp_socket(host.removeprefix("[").removesuffix("]"), int(port))
    return Listener(
        where=f"{'http' if certificate is None else 'https'}://{api.listen}",
        socket=listener,
        tokens=Tokens(control=control, read=read),
        certificate=certificate,
        key=key,
    )


def _pair(certificate: str | None, key: str | None) -> tuple[Path | None, Path | None]:
    """A certificate and its key, tried: what is wrong with them must not end a server later."""
    if certificate is None or key is None:
        return None, None
    for name in (certificate, key):
        if not Path(name).is_file():
            raise ListenError(f"{name}: there is no such file")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Without one a key that takes a passphrase would have a terminal asked for it.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:  # what is no PEM, cannot be read, or takes a passphrase
        raise ListenError(
            f"{certificate} and {key} are no certificate with its key, both as PEM: {error}"
        ) from error
    return Path(certificate), Path(key)


def _token(path: Path) -> str:
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ListenError(f"{path}: the token cannot be read: {error}") from error
    if len(token.split()) > 1 or not token.isascii() or not token.isprintable():
        raise ListenError(f"{path}: a token is one line of ASCII without blanks")
    if len(token) < TOKEN_LENGTH_MIN:
        raise ListenError(
            f"{path}: the token has {len(token)} characters, and at least {TOKEN_LENGTH_MIN} are "
            "needed: openssl rand -hex 32 makes a good one"
        )
    if path.stat().st_mode & 0o004:
        raise ListenError(f"{path}: everybody may read the token: chmod o-r {path}")
    return token


def loop_asker(loop: Loop) -> Callable[[Ask], Awaitable[Admission | None]]:
    """Posts commands into the loop's thread, from any other."""
    running = asyncio.get_running_loop()

    async def ask(given: Ask) -> Admission | None:
        taken: concurrent.futures.Future[Admission | None] = concurrent.futures.Future()

        def take() -> None:
            if taken.set_running_or_notify_cancel():
                taken.set_result(loop.take(given))

        running.call_soon_threadsafe(take)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(taken), TAKEN_S)
        except TimeoutError as error:
            raise LoopBusyError("the daemon's loop does not answer; try again") from error

    return ask
