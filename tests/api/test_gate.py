"""The gate: who shows no good token is slowed down, by address, and takes nothing of others'."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from aerostat.api.gate import STRANGERS_MAX, Gate, Rates, Tokens

CONTROL, READ = "control-token-of-the-tests", "read-token-of-the-tests"
RATES = Rates(  # few, so that they are soon used up
    reads_per_s=1.0, reads_burst=3.0,
    visits_per_s=0.5, visits_burst=3.0, guesses_per_s=0.5, guesses_burst=2.0,
)  # fmt: skip


class Front:
    """A gate with an application behind it that always answers 200."""

    def __init__(self) -> None:
        self.now_s = 0.0
        tokens = Tokens(control=CONTROL, read=READ)
        self._gate = Gate(self._app, tokens=tokens, rates=RATES, now_s=lambda: self.now_s)

    async def _app(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def ask(
        self, path: str, *, token: str | None = None, address: str = "10.0.0.1", method: str = "GET"
    ) -> int:
        headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": headers}
        scope["client"] = (address, 1)
        statuses: list[int] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        asyncio.run(self._gate(scope, receive, send))
        (status,) = statuses
        return status


def test_guessing_tokens_is_slowed_down() -> None:
    front = Front()
    guesses = [front.ask("/v1/state", token=f"guess-{n}") for n in range(4)]
    assert guesses == [401, 401, 429, 429]
    front.now_s += 2.0
    assert front.ask("/v1/state", token="guess") == 401
    assert front.ask("/v1/state", token="guess") == 429


def test_who_guesses_keeps_nobody_else_out() -> None:
    front = Front()
    for _ in range(20):
        front.ask("/v1/state", token="guess")
        front.ask("/")
    assert front.ask("/") == 429
    assert front.ask("/v1/state") == 429
    assert front.ask("/", address="10.0.0.2") == 200
    assert front.ask("/v1/state", token=READ) == 200, "a good token, from the same address"
    assert front.ask("/v1/reclaim", token=CONTROL, method="POST") == 200


def test_guesses_do_not_close_the_page_to_who_has_forgotten_a_token() -> None:
    front = Front()
    assert [front.ask("/v1/state") for _ in range(3)] == [401, 401, 429]
    assert [front.ask("/static/app.js") for _ in range(4)] == [200, 200, 200, 429]


def test_who_reads_does_not_close_the_open_pages() -> None:
    front = Front()
    assert [front.ask("/v1/state", token=READ) for _ in range(4)] == [200, 200, 200, 429]
    assert front.ask("/healthz") == 200


def test_many_addresses_take_no_more_memory_than_some() -> None:
    front = Front()
    asked = STRANGERS_MAX + 50
    statuses = [front.ask("/v1/state", address=f"10.1.{n // 250}.{n % 250}") for n in range(asked)]
    assert statuses[:STRANGERS_MAX] == [401] * STRANGERS_MAX
    assert statuses[-1] == 429, "all beyond them are one"
    front.now_s += 60.0
    assert front.ask("/v1/state", address="10.9.9.9") == 401, "who was quiet is forgotten"


def test_open_pages_are_to_look_at() -> None:
    front = Front()
    assert front.ask("/", method="POST") == 401
    assert front.ask("/static/app.js") == 200
