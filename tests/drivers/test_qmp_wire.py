"""Answers are left in the socket for a moment, to be read together, where that is asked for."""

import asyncio
import json
from typing import Any

import pytest

from aerostat.drivers.qmp.repeated import numbered
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


async def told(wire: Wire, line: Line, *answers: str) -> list[Any]:
    """Ask what is asked in every round, and have it answered in these words; {} is the number."""
    asking = asyncio.create_task(wire.ask(HEADS, gathers=True))
    await asyncio.sleep(0)
    for number, answer in zip(line.numbers, answers, strict=True):
        wire.data_received(answer.replace("{}", str(number)).encode() + b"\r\n")
    return [answer.get("return") for answer in await asking]


def test_what_is_answered_in_the_same_bytes_is_not_parsed_again() -> None:
    async def play() -> None:
        wire, line = await connected()
        same, other = '{"return": {"actual": 7}, "id": {}}', '{"return": {"actual": 8}, "id": {}}'
        first = await told(wire, line, same, same)
        again = await told(wire, line, same, other)
        assert again == [{"actual": 7}, {"actual": 8}]
        assert again[0] is first[0]
        assert await told(wire, line, other, same) == [{"actual": 8}, {"actual": 7}]

    asyncio.run(play())


@pytest.mark.parametrize(
    "answer",
    [
        '{"id": {}, "return": {"a": 1}}',
        '{"return": {"a": 1, "id": 5}, "id": {}}',
        '{"id": {}, "return": {"a": 1, "id": 5}}',
        '{"return": ", \\"id\\": 5}", "id": {}}',
        '{"id": {}, "return": ", \\"id\\": 5}"}',
        '{"return":7,"id":{}}',
        '{"error": {"class": "GenericError", "desc": "no"}, "id": {}}',
    ],
)
def test_however_an_answer_is_worded_it_means_the_same_each_time(answer: str) -> None:
    async def play() -> None:
        wire, line = await connected()
        for _ in range(3):
            expected = json.loads(answer.replace("{}", "5")).get("return")
            assert await told(wire, line, answer, answer) == [expected] * 2
            assert await told(wire, line, *['{"return": 3, "id": {}}'] * 2) == [3, 3]

    asyncio.run(play())


def test_an_event_in_between_is_told_though_it_ends_like_an_answer() -> None:
    async def play() -> list[str]:
        events: list[str] = []
        wire, line = Wire(lambda name, _: events.append(name)), Line()
        wire.connection_made(line)
        wire.data_received(b'{"QMP": {}}\n')
        for _ in range(2):
            asking = asyncio.create_task(wire.ask(HEADS, gathers=True))
            await asyncio.sleep(0)
            wire.data_received(b'{"event": "RESET", "id": %d}\n' % line.numbers[0])
            for number in line.numbers:
                wire.data_received(b'{"return": 1, "id": %d}\n' % number)
            await asking
        return events

    assert asyncio.run(play()) == ["RESET", "RESET"]


@pytest.mark.parametrize(
    "line", [b"", b"{}", b', "id": }', b', "id": -1}', b', "id": 5}}', b', "id": 5"}', b'"id": 5}']
)
def test_only_a_number_that_closes_the_answer_is_its_id(line: bytes) -> None:
    assert numbered(line) is None
    assert numbered(b'{"return": 1, "id": 12}\r') == (b'{"return": 1', 12)
