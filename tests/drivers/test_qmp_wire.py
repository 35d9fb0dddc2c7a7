"""Answers are left in the socket for a moment, to be read together; in a hurry they are not."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Never, cast

import pytest

from aerostat.drivers.agent import HeardAgent
from aerostat.drivers.agent.lines import AgentFigures, AgentLine, LineKind
from aerostat.drivers.qmp.guest import ConnectedGuest
from aerostat.drivers.qmp.session import QmpSession
from aerostat.drivers.qmp.settings import QmpSettings
from aerostat.drivers.qmp.wire import GATHER_S_MAX, GATHER_S_MIN, Wire
from aerostat.drivers.sockets.errors import NoAnswerError
from aerostat.drivers.sockets.guest import Identity
from aerostat.host.clock import SystemClock
from aerostat.model.events import PressureTrigger
from aerostat.model.guest import GuestId

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


def test_answers_are_left_to_be_read_together_and_in_a_hurry_they_are_not() -> None:
    async def play() -> None:
        wire, line = await connected()
        assert await asked(wire, line, gathers=True, pieces=1) == [0, 1]
        assert line.pauses == 1
        assert await asked(wire, line, gathers=False, pieces=2) == [2, 3]
        assert line.pauses == 1

    asyncio.run(play())


@pytest.mark.parametrize(("gathers", "grows"), [(True, True), (False, False)])
def test_only_what_was_read_too_early_is_read_later(gathers: bool, grows: bool) -> None:
    """Answers that were not to be gathered may come in pieces."""

    async def play() -> float:
        wire, line = await connected()
        for _ in range(10):
            await asked(wire, line, gathers=gathers, pieces=5)
        await asked(wire, line, gathers=True, pieces=1)
        return wire._gather_s

    gather_s = asyncio.run(play())
    assert gather_s == (GATHER_S_MAX if grows else GATHER_S_MIN)


@dataclass
class Monitor:
    """A session that notes how it was asked, and does not answer."""

    hurried: list[bool] = field(default_factory=list)

    async def ask_all(self, *_: object, hurries: bool = False, **__: object) -> Never:
        self.hurried.append(hurries)
        raise NoAnswerError("nobody there")


def test_a_guest_that_has_just_pushed_is_asked_in_a_hurry() -> None:
    clock, monitor = SystemClock(), Monitor()
    identity = Identity(guest=GuestId("a"), name="a", pid=None)
    guest = ConnectedGuest(
        cast("QmpSession", monitor), identity, label="a", settings=QmpSettings(), clock=clock
    )
    agent = HeardAgent(GuestId("a"), clock=clock, tell=lambda _: None)
    guest.listen_to(agent)

    def read() -> None:
        with pytest.raises(NoAnswerError):
            asyncio.run(guest.read())

    read()
    agent.take(
        AgentLine(
            kind=LineKind.PRESSURE,
            uptime_s=1.0,
            figures=AgentFigures(),
            trigger=PressureTrigger.FULL,
        )
    )
    read()
    assert monitor.hurried == [False, True]
