"""One connection to one QEMU monitor: commands, answers, deadlines."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aerostat.drivers.qmp.wire import EventTap, Message, Wire
from aerostat.drivers.sockets.errors import (
    NoAnswerError,
    NotConnectedError,
    RefusedError,
    SessionError,
    ViolationError,
)
from aerostat.drivers.sockets.knock import knock, peer_pid

GREETING_PATIENCE_S = 60.0
"""How long to stay in QEMU's queue for a greeting.

QEMU serves one client of a monitor at a time and queues two; who gives up leaves a dead entry in
that queue until QEMU gets to it. So a driver that knocked every second would keep others out.
"""
_CLOSE_DEADLINE_S = 1.0


class CommandRefusedError(RefusedError):
    """QEMU answered with an error.

    Its class is "GenericError" for almost everything; only "DeviceNotActive", "CommandNotFound",
    "DeviceNotFound" and "KVMMissingCap" say more.
    """

    def __init__(self, error_class: str, text: str) -> None:
        super().__init__(f"{text} ({error_class})")
        self.error_class = error_class


@dataclass(frozen=True, kw_only=True)
class Command:
    """One QMP command with its arguments."""

    name: str
    arguments: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        # An unstable command has aborted QEMU, and the VM with it (x-query-virtio-status, 11.1).
        assert not self.name.startswith("x-"), "unstable commands are never sent to a VM"

    @cached_property
    def head(self) -> bytes:
        """Its JSON up to the value of its id, written once for all rounds."""
        told: dict[str, object] = {"execute": self.name}
        if self.arguments:
            told["arguments"] = dict(self.arguments)
        return json.dumps(told)[:-1].encode() + b', "id": '


Answer = object | CommandRefusedError


class QmpSession:
    """One connection; it is made once and, when it has ended, thrown away."""

    def __init__(self, path: Path, *, on_event: EventTap) -> None:
        self._path = path
        self._on_event = on_event
        self._socket: socket.socket | None = None
        self._pid: int | None = None
        self._wire: Wire | None = None
        self._is_agreed = False

    @property
    def peer_pid(self) -> int | None:
        """The process that opened the socket for listening, if it can be seen from here."""
        return self._pid

    @property
    def is_connected(self) -> bool:
        """Whether commands can be sent."""
        return self._is_agreed and self._wire is not None and self._wire.is_open

    def knock(self) -> None:
        """Get in QEMU's queue; does not wait.

        Raises:
            NotListeningError: no socket is there, or a dead QEMU's.
            NotConnectedError: QEMU's queue is full, or the socket may not be used.
        """
        self._socket = knock(self._path)
        self._pid = peer_pid(self._socket)

    async def greet(self) -> None:
        """Wait for QEMU's greeting and agree on capabilities; may take ``GREETING_PATIENCE_S``.

        Raises:
            NotConnectedError: no greeting came, or the connection ended.
            ViolationError: something came that is not a greeting.
        """
        assert self._socket is not None, "knock first"
        try:
            async with asyncio.timeout(GREETING_PATIENCE_S):
                await self._agree(self._socket)
        except TimeoutError as error:
            text = f"no greeting within {GREETING_PATIENCE_S:.0f} s"
            raise NotConnectedError(text) from error
        except (OSError, NoAnswerError) as error:
            raise NotConnectedError(str(error)) from error
        except CommandRefusedError as error:
            raise ViolationError(f"it refuses to agree on capabilities: {error}") from error

    async def _agree(self, connected: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        _, self._wire = await loop.create_unix_connection(
            lambda: Wire(self._on_event), sock=connected
        )
        greeting = await self._wire.greeting
        offered = greeting.get("capabilities")
        # With it a monitor has a thread of its own, which reads while QEMU's main one is busy.
        enable = ["oob"] if isinstance(offered, list) and "oob" in offered else []
        agreeing = Command(
            name="qmp_capabilities", arguments={"enable": enable} if enable else None
        )
        (answer,) = await self._wire.ask((agreeing.head,))
        _unless_refused(answer, agreeing)
        self._is_agreed = True

    async def ask(self, command: Command, *, deadline_s: float | None) -> object:
        """Send one command and return its untrusted answer.

        Args:
            command: what to send.
            deadline_s: None waits for as long as the connection lasts.

        Raises:
            NotConnectedError, NoAnswerError, CommandRefusedError, ViolationError.
        """
        (answer,) = await self._asked((command,), deadline_s=deadline_s)
        return _unless_refused(answer, command)

    async def ask_all(
        self, commands: Sequence[Command], *, deadline_s: float | None
    ) -> tuple[Answer, ...]:
        """Send several commands at once; a refusal stands in the place of its answer.

        Raises:
            NotConnectedError, NoAnswerError, ViolationError.
        """
        answers = await self._asked(commands, deadline_s=deadline_s)
        return tuple(map(_or_refusal, answers, commands))

    async def _asked(
        self, commands: Sequence[Command], *, deadline_s: float | None
    ) -> list[Message]:
        if self._wire is None or not self.is_connected:
            raise NotConnectedError("the connection to the monitor is gone")
        heads = [command.head for command in commands]
        asking = self._wire.ask(heads, gathers=len(heads) > 1)
        try:
            if deadline_s is None:
                return await asking  # whoever asks has a deadline of its own
            async with asyncio.timeout(deadline_s):
                return await asking
        except TimeoutError as error:
            names = ", ".join(command.name for command in commands)
            raise NoAnswerError(f"no answer to {names} within {deadline_s:g} s") from error
        except NoAnswerError as error:
            names = ", ".join(command.name for command in commands)
            raise NoAnswerError(f"the connection ended before the answer to {names}") from error

    async def wait_closed(self) -> None:
        """Return when the connection has ended."""
        if self._wire is not None:
            await asyncio.shield(self._wire.closed)

    async def close(self) -> None:
        """Let go; never raises and takes at most ``_CLOSE_DEADLINE_S``, even if QEMU hangs."""
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # so that nothing waits for a hung QEMU to read
        if self._wire is None:
            self._socket.close()
            return
        self._wire.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_DEADLINE_S):
                await self.wait_closed()


def _or_refusal(answer: Message, command: Command) -> Answer:
    """What the answer says.

    Raises:
        ViolationError: it is no answer.
    """
    if "return" in answer:
        returned: object = answer["return"]
        return returned
    error = answer.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("class"), str):
        raise ViolationError(f"what came is no answer to {command.name}")
    return CommandRefusedError(error["class"], str(error.get("desc", "")))


def _unless_refused(answer: Message, command: Command) -> object:
    told = _or_refusal(answer, command)
    if isinstance(told, SessionError):
        raise told
    return told
