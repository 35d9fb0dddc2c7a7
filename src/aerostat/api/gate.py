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

from fastapi import HTTPException

BODY_BYTES_MAX = 64 * 1024
"""No command is longer."""


_OPEN = ("/", "/healthz", "/favicon.ico")
_OPEN_UNDER = "/static/"
"""The dashboard's own files hold nothing of this host: its script asks for the token."""

_TOO_LONG = f"a body has at most {BODY_BYTES_MAX} bytes"
_NEEDED = "a bearer token is needed: Authorization: Bearer ..."
_WRONG = "this token is not the daemon's: look into its api.token_file"

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
    """How often all clients of a listener together may ask: a second, and at once.

    Whoever shows no good token is counted apart, by address: neither may they guess tokens as fast
    as they like, nor can they use up what others are granted.
    """

    reads_per_s: float = 200.0
    reads_burst: float = 400.0
    commands_per_s: float = 10.0
    commands_burst: float = 50.0
    # Of one address without a good token: pages that need none, and everything else.
    visits_per_s: float = 50.0
    visits_burst: float = 400.0  # a page that is opened asks for a dozen files at once
    guesses_per_s: float = 5.0
    guesses_burst: float = 50.0


class Bucket:
    """So many at once, and so many a second after that."""

    def __init__(self, rate: float, burst: float, now_s: Callable[[], float]) -> None:
        self._rate, self._burst, self._now_s = rate, burst, now_s
        self._left, self._at_s = burst, now_s()

    @property
    def is_full(self) -> bool:
        """Whether nothing is missing: nobody has taken any for long."""
        self._fill()
        return self._left >= self._burst

    def _fill(self) -> None:
        now_s = self._now_s()
        self._left = min(self._burst, self._left + self._rate * max(0.0, now_s - self._at_s))
        self._at_s = now_s

    def take(self) -> bool:
        """Take one; False: there is none just now."""
        self._fill()
        if self._left < 1:
            return False
        self._left -= 1
        return True


STRANGERS_MAX = 1024
"""So many addresses are told apart; beyond that, all further ones count as one."""

_ANYBODY = ""


class Strangers:
    """A bucket for each address that shows no good token."""

    def __init__(self, rate: float, burst: float, now_s: Callable[[], float]) -> None:
        self._rate, self._burst, self._now_s = rate, burst, now_s
        self._buckets: dict[str, Bucket] = {}

    def take(self, address: str) -> bool:
        """Take one; False: this address has asked too often."""
        if address not in self._buckets and len(self._buckets) >= STRANGERS_MAX:
            self._forget()
            address = address if len(self._buckets) < STRANGERS_MAX else _ANYBODY
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = Bucket(self._rate, self._burst, self._now_s)
            self._buckets[address] = bucket
        return bucket.take()

    def _forget(self) -> None:
        """Who has not asked for a while is nobody in particular any more."""
        self._buckets = {a: bucket for a, bucket in self._buckets.items() if not bucket.is_full}


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
        self._visits = Strangers(rates.visits_per_s, rates.visits_burst, now_s)
        self._guesses = Strangers(rates.guesses_per_s, rates.guesses_burst, now_s)

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
        if (right := self._right(headers)) is Right.NONE:
            is_open = _is_open(scope)
            if not (self._visits if is_open else self._guesses).take(_address(scope)):
                return 429, "too many requests without a good token: wait a minute"
            if not is_open:
                return 401, _WRONG if b"authorization" in headers else _NEEDED
        elif is_command and right is not Right.CONTROL:
            return 403, "this token may only read"
        elif not (self._commands if is_command else self._reads).take():
            return 429, "too many requests: wait a second"
        return _too_long(headers)

    def _right(self, headers: dict[bytes, bytes]) -> Right:
        if self._tokens is None:
            return Right.CONTROL
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return self._tokens.right_of(token.strip()) if kind.lower() == "bearer" else Right.NONE

    def _who(self, scope: Scope) -> str:
        client = scope.get("client")
        if self._tokens is None:
            return client[0] if client else "the Unix socket"
        return f"token, from {client[0] if client else 'unknown'}"


def _is_open(scope: Scope) -> bool:
    """What needs no token: to look at."""
    is_reading = scope["method"] in {"GET", "HEAD"}
    return is_reading and (scope["path"] in _OPEN or scope["path"].startswith(_OPEN_UNDER))


def _too_long(headers: dict[bytes, bytes]) -> tuple[int, str] | None:
    length = headers.get(b"content-length", b"0")
    if not length.isdigit():
        return 400, "Content-Length is not a number"
    if int(length[:20]) > BODY_BYTES_MAX:
        return 413, _TOO_LONG
    return None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else _ANYBODY


def _headers(scope: Scope) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in scope["headers"]}


def _bounded(receive: Receive) -> Receive:
    """A body without a length, or longer than it said, is refused at the limit."""
    taken = 0

    async def bounded() -> Any:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES_MAX:
            raise HTTPException(413, _TOO_LONG)
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
