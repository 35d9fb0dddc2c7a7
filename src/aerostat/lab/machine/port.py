"""The host's end of a machine's workload port: samples come in, orders go out."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import cast

from aerostat.lab.machine.errors import MachineError
from aerostat.lab.machine.lines import (
    BadLineError,
    Hello,
    LineSplitter,
    StallBegan,
    WorkloadEnded,
    parse_line,
)
from aerostat.lab.recording import WorkloadSample

_SAMPLES_KEPT = 3600
_UNREAD_BYTES_MAX = 65536


class WorkloadPort(asyncio.Protocol):
    """Reads what the guest says as it comes; holds the samples nobody has taken yet, bounded."""

    def __init__(self, guest: str) -> None:
        self._guest = guest
        self._splitter = LineSplitter()
        self._bad_lines = 0
        self._samples: deque[WorkloadSample] = deque(maxlen=_SAMPLES_KEPT)
        self._news = asyncio.Event()
        self._transport: asyncio.WriteTransport | None = None
        self.latest: WorkloadSample | None = None
        self.hello: Hello | None = None
        self.ended: WorkloadEnded | None = None
        self.stall: StallBegan | None = None  # the last one told
        self.last_line_s = time.monotonic()

    @property
    def garbage_lines(self) -> int:
        """Lines that the workload would not write."""
        return self._bad_lines + self._splitter.too_long

    @property
    def is_open(self) -> bool:
        """Whether QEMU has not hung up."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to write."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in what the guest has sent."""
        received_s = time.monotonic()
        for untrusted_line in self._splitter.feed(data):
            try:
                said = parse_line(untrusted_line, guest=self._guest, received_s=received_s)
            except BadLineError:
                self._bad_lines += 1
                continue
            self.last_line_s = received_s
            match said:
                case Hello():
                    self.hello = said
                case WorkloadEnded():
                    self.ended = said
                case StallBegan():
                    self.stall = said
                case WorkloadSample():
                    self.latest = said
                    self._samples.append(said)
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - QEMU's end says why
        """Note that QEMU has hung up."""
        self._transport = None
        self._news.set()

    def send(self, order: str) -> None:
        """Send an order.

        Raises:
            MachineError: QEMU is gone, or the guest has not read its orders for long.
        """
        if self._transport is None:
            raise MachineError(f"{self._guest}: cannot order {order!r}: its QEMU is gone")
        if self._transport.get_write_buffer_size() > _UNREAD_BYTES_MAX:
            raise MachineError(f"{self._guest}: cannot order {order!r}: it reads no orders")
        self._transport.write(order.encode() + b"\n")

    def take_sample(self) -> WorkloadSample | None:
        """Take the oldest sample nobody has taken yet, if there is one."""
        return self._samples.popleft() if self._samples else None

    async def samples(self) -> AsyncIterator[WorkloadSample]:
        """Take samples as they come, from the oldest not yet taken, until QEMU hangs up."""
        while True:
            while self._samples:
                yield self._samples.popleft()
            if not self.is_open:
                return
            await self.news()

    async def news(self) -> None:
        """Wait until something has come in, or QEMU has hung up; at once when it has."""
        self._news.clear()
        if self.is_open:
            await self._news.wait()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            with suppress(OSError):
                self._transport.close()
