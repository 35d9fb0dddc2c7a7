"""Answers as bytes: written once, however many ask for them before the next round."""

import json
from collections.abc import Callable, Sequence

from fastapi import Response

from aerostat.api.seat import Seat

FRESH_S = 1.0
"""Where rounds do not come, ages in an answer are not frozen: it is written again after so long."""


def as_bytes(document: object) -> bytes:
    """A document as JSON, without blanks."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.encode()


def told(document: object) -> Response:
    """An answer of a document that is JSON already: looking through it again takes as long."""
    return Response(as_bytes(document), media_type="application/json")


class PerRound:
    """Keeps what was written until there is something new; for one thread."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._of: Sequence[object] = ()
        self._written_s = 0.0
        self._bodies: dict[str, bytes] = {}

    def body(self, name: str, write: Callable[[], bytes]) -> bytes:
        """What was written under this name for this round, or is written now."""
        # What all have followed, counters too: what is written from now on is at least as new.
        status, now_s = self._seat.latest.status, self._seat.clock.now_s()
        # A round shows several statuses; what clients look for changes with these.
        shown = (status.last, status.orders, status.failure, status.round_s, self._seat.config())
        if not _are_same(self._of, shown) or not 0 <= now_s - self._written_s < FRESH_S:
            self._of, self._written_s, self._bodies = shown, now_s, {}
        if name not in self._bodies:
            self._bodies[name] = write()
        return self._bodies[name]

    def answer(self, name: str, write: Callable[[], object]) -> Response:
        """The same as an answer of JSON."""
        body = self.body(name, lambda: as_bytes(write()))
        return Response(body, media_type="application/json")


def _are_same(one: Sequence[object], other: Sequence[object]) -> bool:
    """The very same objects: comparing what is in them would take as long as writing them."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
