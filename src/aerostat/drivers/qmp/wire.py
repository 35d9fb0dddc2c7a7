"""The bytes of a QMP connection: lines of JSON, several questions under way, events in between.

Written for a daemon that asks hundreds of monitors every second: a round of questions is one
write, and their answers are read together (docs/design/0020-a-cheap-daemon.md).
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from aerostat.drivers.qmp.repeated import LastSaid, numbered
from aerostat.drivers.sockets.errors import (
    NoAnswerError,
    NotConnectedError,
    SessionError,
    ViolationError,
)

LINE_BYTES_MAX = 10 * 1024 * 1024
"""No answer is longer: what is, is no QEMU's."""
GATHER_S_MIN = 0.002
GATHER_S_MAX = 0.04
"""Answers are left in the socket for so long, to be read together; longer where QEMU is slower."""

EventTap = Callable[[str, Mapping[str, Any]], None]
"""Takes an event's name and its untrusted data, at once; must not raise."""

Message = Mapping[str, Any]


class Questions:
    """Questions that were sent together, and the answers that have come.

    Args:
        first: the number of the first of them; the others' follow.
        heads: what each of them is.
        done: told when all are answered.
        recur: whether they are asked again and again.
    """

    def __init__(
        self, first: int, heads: Sequence[bytes], done: "asyncio.Future[None]", *, recur: bool
    ) -> None:
        self.first = first
        self.heads = heads
        self.recur = recur
        self.answers: list[Message] = []
        self.done = done
        self._by_id: dict[int, Message] = {}
        self._count = len(heads)

    def take(self, number: int, answer: Message) -> bool:
        """Take an answer; whether it was the last one."""
        self._by_id[number] = answer
        if len(self._by_id) < self._count:
            return False
        self.answers = [self._by_id[self.first + i] for i in range(self._count)]
        if not self.done.done():
            self.done.set_result(None)
        return True


class Wire(asyncio.Protocol):
    """One connection, from the greeting to its end."""

    def __init__(self, on_event: EventTap) -> None:
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._next = 0
        self._waiting: dict[int, Questions] = {}  # by the number of each of their questions
        self._last_said = LastSaid()
        self._gather_s = GATHER_S_MIN
        self._chunks = 0  # reads since the last questions were sent
        self.greeting: asyncio.Future[Message] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.failure: SessionError | None = None  # why it ended, where that was the peer's doing

    @property
    def is_open(self) -> bool:
        """Whether questions can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ours."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing will come any more; whoever waits hears of it."""
        words = "the connection ended" if exc is None else str(exc)
        if not self.greeting.done():
            self.greeting.set_exception(self.failure or NotConnectedError(words))
            self.greeting.exception()  # nobody may be waiting for it: that is no fault
        for questions in set(self._waiting.values()):
            if not questions.done.done():
                questions.done.set_exception(self.failure or NoAnswerError(words))
        self._waiting.clear()
        if not self.closed.done():
            self.closed.set_result(None)

    def abort(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    async def ask(self, heads: Sequence[bytes], *, gathers: bool = False) -> list[Message]:
        """Send questions in one write and wait for all answers, for as long as it takes.

        Args:
            heads: each a command up to the value of its id.
            gathers: whether this is asked in every round: then answers may be left in the socket
                for a moment, to be read together.

        Raises:
            NotConnectedError, NoAnswerError, ViolationError.
        """
        if self._transport is None or not self.is_open:
            raise NotConnectedError("the connection to the monitor is gone")
        first = self._next
        self._next += len(heads)
        questions = Questions(first, heads, self._loop.create_future(), recur=gathers)
        numbers = range(first, self._next)
        self._waiting.update(dict.fromkeys(numbers, questions))
        lines = b"".join([b"%b%d}\n" % pair for pair in zip(heads, numbers, strict=True)])
        self._transport.write(lines)
        if gathers:
            self._gather()
        try:
            await questions.done
        finally:
            for number in numbers:
                self._waiting.pop(number, None)
        return questions.answers

    def _gather(self) -> None:
        """Read nothing for a moment: each answer by itself would wake the loop."""
        assert self._transport is not None
        # It adapts: answers that came in pieces were read too early.
        slower = self._chunks > 1
        self._gather_s = 2 * self._gather_s if slower else 0.95 * self._gather_s
        self._gather_s = min(GATHER_S_MAX, max(GATHER_S_MIN, self._gather_s))
        self._chunks = 0
        self._transport.pause_reading()
        self._loop.call_later(self._gather_s, self._transport.resume_reading)

    def data_received(self, data: bytes) -> None:
        """Take what has come: whole lines, and the beginning of one."""
        self._chunks += 1
        self._unread += data
        if b"\n" not in data:
            if len(self._unread) > LINE_BYTES_MAX:
                self._fail(f"a line of more than {LINE_BYTES_MAX} bytes")
            return
        *lines, rest = bytes(self._unread).split(b"\n")
        self._unread = bytearray(rest)
        for line in lines:
            if self.failure is None and not line.isspace() and line:
                self._on_line(line)

    def _on_line(self, line: bytes) -> None:
        # Only what is asked again and again is remembered, so that it does not grow.
        said = numbered(line)
        questions = None if said is None else self._waiting.get(said[1])
        if said is None or questions is None or not questions.recur:
            self._on_new_line(line)
            return
        head = questions.heads[said[1] - questions.first]
        if (message := self._last_said.again(head, said[0])) is not None:
            questions.take(said[1], message)
        elif (message := self._on_new_line(line)) is not None and message.get("id") == said[1]:
            self._last_said.note(head, said[0], message)

    def _on_new_line(self, line: bytes) -> Message | None:
        """Parse a line and take what it says; returns an answer."""
        try:
            message = json.loads(line.decode())
        except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or far too deep
            self._fail(f"what came is no JSON: {type(error).__name__}")
            return None
        if not isinstance(message, dict):
            self._fail("what came is no object of JSON")
        elif not self.greeting.done():
            self._greet(message)
        elif "event" in message:
            data = message.get("data")
            self._on_event(str(message["event"]), data if isinstance(data, dict) else {})
        else:
            self._on_answer(message)
            return message
        return None

    def _greet(self, message: Message) -> None:
        greeting = message.get("QMP")
        if isinstance(greeting, dict):
            self.greeting.set_result(greeting)
        else:
            self._fail("what came is something else")

    def _on_answer(self, message: Message) -> None:
        number = message.get("id")
        questions = self._waiting.get(number) if type(number) is int else None
        if questions is not None and type(number) is int:
            questions.take(number, message)
        elif "error" in message and "id" not in message:
            self._fail(f"it did not understand us: {message['error']!r}"[:200])
        # Else it is the answer to a question that nobody waits for any more.

    def _fail(self, words: str) -> None:
        is_greeted = self.greeting.done()
        self.failure = ViolationError(words if is_greeted else f"no greeting of QMP: {words}")
        self.abort()
