"""Answers are left in the socket for a moment, to be read together, where that is asked for."""

import asyncio
import json
from typing import Any

import pytest

from aerostat.drivers.qmp.wire import GATHER_S_MAX, GATHER_S_MIN, Wire

HEADS = [b'{"execute": "one", "id": ', b'{"execute": "two", "id": ']


class Line(asyncio.Transport):
    """A connection that keeps what is written, and whether anybody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []
        self.pauses = 0

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        self.numbers = [json.loads(line)["id"] for line in bytes(data).splitlines()]

    def pause_reading(self) -> None:
        self.pauses += 1

    def resume_reading(self) -> None:
        pass


async def asked(wire: Wire, line: Line, *, gathers: bool, pieces: int) -> list[Any]:
    """Ask, and let the answers come in so many pieces."""
    asking = asyncio.create_task(wire.ask(HEADS, gathers=gathers))
    await asyncio.sleep(0)
    told = b"".join(b'{"return": %d, "id": %d}\n' % (number, number) for number in line.numbers)
    size = -(-len(told) // pieces)
    for start in range(0, len(told), size):
        wire.data_received(told[start : start + size])
    return [answer["return"] for answer in await asking]


async def connected() -> tuple[Wire, Line]:
    wire, line = Wire(lambda *_: None), Line()
    wire.connection_made(line)
    wire.data_received(b'{"QMP": {}}\n')
    return wire, line


def test_answers_are_left_to_be_read_together_only_where_they_are_gathered() -> None:
    async def play() -> None:
        wire, line = await connected()
        assert await asked(wire, line, gathers=True, pieces=1) == [0, 1]
        assert line.pauses == 1
        assert await asked(wire, line, gathers=False, pieces=2) == [2, 3]
        assert line.pauses == 1

    asyncio.run(play())


@pytest.mark.parametrize(("pieces", "gather_s"), [(5, GATHER_S_MAX), (1, GATHER_S_MIN)])
def test_what_was_read_too_early_is_read_later(pieces: int, gather_s: float) -> None:
    async def play() -> float:
        wire, line = await connected()
        for _ in range(10):
            await asked(wire, line, gathers=True, pieces=pieces)
        return wire._gather_s

    assert asyncio.run(play()) == gather_s
