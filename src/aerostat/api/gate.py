"""The gate before every request: who asks, how much, how often.

A Unix socket's file permissions decide who may open it, and who may, may do everything. On TCP a
bearer token decides: one may only read, the other may also command.
"""

import hmac
import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

BODY_BYTES_MAX = 64 * 1024
"""No command is longer."""


_OPEN = ("/", "/healthz", "/favicon.ico")
_OPEN_UNDER = "/static/"
"""The dashboard's own files hold nothing of this host: its script asks for the token."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[MutableMapping[str, Any]], Any]


class Right(IntEnum):
    """What a client may do."""

    NONE = 0
    READ = 1
    CONTROL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The secrets of a TCP listener."""

    control: str
    read: str | None = None

    def right_of(self, untrusted: str) -> Right:
        """What a token allows; takes as long for a wrong one as for a right one."""
        given = untrusted.encode()
        is_control = hmac.compare_digest(given, self.control.encode())
        is_read = self.read is not None and hmac.compare_digest(given, self.read.encode())
        return Right.CONTROL if is_control else Right.READ if is_read else Right.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often all clients of a listener together may ask: a second, and at once."""

    reads_per_s: float = 200.0
    reads_burst: float = 400.0
    commands_per_s: float = 10.0
    commands_burst: float = 50.0


class Bucket:
    """So many at once, and so many a second after that."""

    def __init__(self, rate: float, burst: float, now_s: Callable[[], float]) -> None:
        self._rate, self._burst, self._now_s = rate, burst, now_s
        self._left, self._at_s = burst, now_s()

    def take(self) -> bool:
        """Take one; False: there is none just now."""
        now_s = self._now_s()
        self._left = min(self._burst, self._left + self._rate * max(0.0, now_s - self._at_s))
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Gate:
    """An ASGI application around another one."""

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Any],
        *,
        tokens: Tokens | None,
        rates: Rates,
        now_s: Callable[[], float],
    ) -> None:
        """``tokens``: None for a Unix socket."""
        self._app = app
        self._tokens = tokens
        self._reads = Bucket(rates.reads_per_s, rates.reads_burst, now_s)
        self._commands = Bucket(rates.commands_per_s, rates.commands_burst, now_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        refusal = self._refusal(scope)
        if refusal is None:
            scope.setdefault("state", {})["who"] = self._who(scope)
            await self._app(scope, _bounded(receive), send)
            return
        status, words = refusal
        await _answer(send, status, words)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = _headers(scope)
        is_command = scope["method"] not in {"GET", "HEAD", "OPTIONS"}
        if (right := self._right(scope, headers)) is Right.NONE:
            return 401, "a bearer token is needed: Authorization: Bearer ..."
        if is_command and right is not Right.CONTROL:
            return 403, "this token may only read"
        if not (self._commands if is_command else self._reads).take():
            return 429, "too many requests: wait a second"
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            return 400, "Content-Length is not a number"
        if int(length[:20]) > BODY_BYTES_MAX:
            return 413, f"a body has at most {BODY_BYTES_MAX} bytes"
        return None

    def _right(self, scope: Scope, headers: dict[bytes, bytes]) -> Right:
        if self._tokens is None:
            return Right.CONTROL
        if scope["path"] in _OPEN or scope["path"].startswith(_OPEN_UNDER):
            return Right.READ
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return self._tokens.right_of(token.strip()) if kind.lower() == "bearer" else Right.NONE

    def _who(self, scope: Scope) -> str:
        client = scope.get("client")
        if self._tokens is None:
            return client[0] if client else "the Unix socket"
        return f"token, from {client[0] if client else 'unknown'}"


def _headers(scope: Scope) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in scope["headers"]}


def _bounded(receive: Receive) -> Receive:
    """A body without a length, or longer than it said, ends at the limit."""
    taken = 0

    async def bounded() -> Any:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES_MAX:
            return {"type": "http.disconnect"}
        return message

    return bounded


async def _answer(send: Send, status: int, words: str) -> None:
    body = json.dumps({"detail": words}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == 429:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
