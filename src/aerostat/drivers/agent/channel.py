"""The host's end of an agent's channel: a socket that QEMU listens at; nothing is ever sent."""

import asyncio
import os
from pathlib import Path
from typing import cast

from aerostat.drivers.agent.heard import HeardAgent
from aerostat.drivers.agent.lines import AgentViolationError, parse_line
from aerostat.drivers.agent.splitter import BoundedLines
from aerostat.drivers.sockets.errors import NotConnectedError, NotListeningError
from aerostat.drivers.sockets.knock import knock
from aerostat.ports.clock import Clock

AGAIN_S = 2.0
"""How often a socket is looked for that is not there, or does not take us."""
PAUSE_S = 1.0
"""For so long a guest is not listened to that says too much: its own writes wait, not we."""
SOCKET_SUFFIX = ".agent"


def agent_socket(monitor: Path) -> Path:
    """Where an agent's socket is by convention: ``web.agent`` beside the monitor ``web.qmp``."""
    return monitor.with_suffix(SOCKET_SUFFIX)


class AgentChannel:
    """Stays connected to one agent's socket, as long as it is kept."""

    def __init__(self, path: Path, heard: HeardAgent, *, clock: Clock) -> None:
        self._path = path
        self._name = str(path)
        self._heard = heard
        self._clock = clock

    async def keep(self) -> None:
        """Connect, listen, and begin again; never ends by itself, and never fails."""
        while True:
            # Most VMs have none, and calling it costs more than a look.
            if not os.path.exists(self._name):  # noqa: PTH110 # as a text: a Path's takes longer
                await _next_look()
                continue
            try:
                connected = knock(self._path)
            except NotListeningError:
                await _next_look()
                continue
            except NotConnectedError as error:
                self._heard.complain(f"its channel is held by another client ({error})")
                await asyncio.sleep(AGAIN_S)
                continue
            listener = AgentListener(self._heard, self._clock)
            try:
                loop = asyncio.get_running_loop()
                await loop.create_unix_connection(lambda: listener, sock=connected)  # noqa: B023 # called at once
                await listener.ended.wait()
            except OSError as error:
                self._heard.complain(f"its channel broke: {error}")
            finally:
                listener.close()
                connected.close()
            await asyncio.sleep(AGAIN_S)


async def _next_look() -> None:
    """Wait for the moment at which all channels look: that wakes the loop once, and not for each.

    For hundreds of VMs without an agent waking took several times as long as looking.
    """
    now_s = asyncio.get_running_loop().time()
    await asyncio.sleep(AGAIN_S - now_s % AGAIN_S)


class AgentListener(asyncio.Protocol):
    """Hands lines on; a guest that says too much is made to wait."""

    def __init__(self, heard: HeardAgent, clock: Clock) -> None:
        self._heard = heard
        self._clock = clock
        self._lines = BoundedLines()
        self._transport: asyncio.Transport | None = None
        self._resume: asyncio.TimerHandle | None = None
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note whom to pause."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in what the guest has sent."""
        dropped = self._lines.too_long, self._lines.too_many
        for untrusted_line in self._lines.feed(data, self._clock.now_s()):
            try:
                line = parse_line(untrusted_line)
            except AgentViolationError as error:
                self._heard.complain(str(error))
                continue
            if line is not None:
                self._heard.take(line)
        if self._lines.too_long > dropped[0]:
            self._heard.complain("it sends lines that are too long")
        if self._lines.too_many > dropped[1]:
            self._heard.complain("it sends more lines than can be right: the rest is dropped")
        if self._lines.is_over_its_rate:
            self._pause()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # the next try tells
        """QEMU has hung up."""
        self._transport = None
        self.ended.set()

    def close(self) -> None:
        """Hang up."""
        if self._resume is not None:
            self._resume.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _pause(self) -> None:
        if self._transport is None or self._resume is not None:
            return
        self._transport.pause_reading()
        self._resume = asyncio.get_running_loop().call_later(PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._resume = None
        if self._transport is not None:
            self._transport.resume_reading()
