"""One connection to one QEMU monitor: the only module that knows the QMP library.

What the library does and a daemon must not inherit: its event listeners remember every event for
ever; iterating over one does not end when QEMU dies; it logs at level ERROR what is everyday
life here; closing re-raises whatever ended the connection, or an assertion of its own.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qemu.qmp import (
    ConnectError,
    EventListener,
    ExecInterruptedError,
    ExecuteError,
    Message,
    QMPClient,
    QMPError,
    Runstate,
    StateError,
)

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

EventTap = Callable[[str, Mapping[str, Any]], None]
"""Takes an event's name and its untrusted data, at once; must not raise."""

logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)


class CommandRefusedError(RefusedError):
    """QEMU answered with an error.

    Its class is "GenericError" for almost everything; only "DeviceNotActive", "CommandNotFound",
    "DeviceNotFound" and "KVMMissingCap" say more.
    """

    def __init__(self, error_class: str, text: str) -> None:
        super().__init__(f"{text} ({error_class})")
        self.error_class = error_class


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One QMP command with its arguments."""

    name: str
    arguments: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        # An unstable command has aborted QEMU, and the VM with it (x-query-virtio-status, 11.1).
        assert not self.name.startswith("x-"), "unstable commands are never sent to a VM"


Answer = object | CommandRefusedError


class _Tap(EventListener):
    """Hands events on at once and keeps none."""

    def __init__(self, tap: EventTap) -> None:
        super().__init__()
        self._tap = tap

    async def put(self, event: Message) -> None:
        data = event.get("data")
        self._tap(str(event["event"]), data if isinstance(data, Mapping) else {})


class QmpSession:
    """One connection; it is made once and, when it has ended, thrown away."""

    def __init__(self, path: Path, *, on_event: EventTap) -> None:
        self._path = path
        self._client = QMPClient()
        self._client.events.event_filter = lambda _event: False  # else it hoards every event
        self._client.register_listener(_Tap(on_event))
        self._socket: socket.socket | None = None
        self._pid: int | None = None

    @property
    def peer_pid(self) -> int | None:
        """The process that opened the socket for listening, if it can be seen from here."""
        return self._pid

    @property
    def is_connected(self) -> bool:
        """Whether commands can be sent."""
        return self._client.runstate is Runstate.RUNNING

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
                await self._client.connect(self._socket)
        except TimeoutError as error:
            text = f"no greeting within {GREETING_PATIENCE_S:.0f} s"
            raise NotConnectedError(text) from error
        except ConnectError as error:
            if isinstance(error.exc, OSError | EOFError):
                raise NotConnectedError(str(error)) from error
            raise ViolationError(str(error)) from error

    async def ask(self, command: Command, *, deadline_s: float | None) -> object:
        """Send one command and return its untrusted answer.

        Args:
            command: what to send.
            deadline_s: None waits for as long as the connection lasts.

        Raises:
            NotConnectedError, NoAnswerError, CommandRefusedError, ViolationError.
        """
        try:
            async with asyncio.timeout(deadline_s):
                return await self._client.execute(command.name, command.arguments)
        except TimeoutError as error:
            raise NoAnswerError(f"no answer to {command.name} within {deadline_s:g} s") from error
        except ExecuteError as error:
            raise CommandRefusedError(error.error_class, str(error)) from error
        except StateError as error:
            raise NotConnectedError("the connection to the monitor is gone") from error
        except ExecInterruptedError as error:
            text = f"the connection ended before the answer to {command.name}"
            raise NoAnswerError(text) from error
        except QMPError as error:
            raise ViolationError(str(error)) from error

    async def ask_all(
        self, commands: Sequence[Command], *, deadline_s: float | None
    ) -> tuple[Answer, ...]:
        """Send several commands at once; a refusal stands in the place of its answer.

        Measured on four commands: 0.9 ms, one after the other 1.4 ms.

        Raises:
            NotConnectedError, NoAnswerError, ViolationError.
        """
        try:
            async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._answer(command)) for command in commands]
        except TimeoutError as error:
            names = ", ".join(command.name for command in commands)
            raise NoAnswerError(f"no answer to {names} within {deadline_s:g} s") from error
        answers = tuple(task.result() for task in tasks)
        for answer in answers:
            if isinstance(answer, SessionError) and not isinstance(answer, CommandRefusedError):
                raise answer
        return answers

    async def wait_closed(self) -> None:
        """Return when the connection has ended."""
        while self.is_connected:
            await self._client.runstate_changed()

    async def close(self) -> None:
        """Let go; never raises and takes at most ``_CLOSE_DEADLINE_S``, even if QEMU hangs."""
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # so that nothing waits for a hung QEMU to read
        if self._client.runstate is Runstate.IDLE:
            self._socket.close()
            return
        # The library re-raises whatever ended its reader, and a peer can choose what that is.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_DEADLINE_S):
                await self._client.disconnect()

    async def _answer(self, command: Command) -> Answer | SessionError:
        try:
            return await self.ask(command, deadline_s=None)
        except SessionError as error:
            return error
