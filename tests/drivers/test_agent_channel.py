"""The host's end of an agent's channel, on sockets: lines come at once, and floods wait."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aerostat.drivers.agent import AgentChannel, HeardAgent
from aerostat.drivers.agent.channel import agent_socket
from aerostat.model.events import PressurePushed
from aerostat.model.guest import GuestId
from qemu_process import SystemClock

CRY = {"aerostat": 1, "kind": "pressure", "trigger": "some", "uptime_s": 5.0, "free_bytes": 4096}


class Port:
    """A socket that QEMU would listen at, and a guest behind it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[PressurePushed] = []
        self.heard = HeardAgent(GuestId("a"), clock=SystemClock(), tell=self.events.append)
        self.writer: asyncio.StreamWriter | None = None

    async def listen(self) -> asyncio.Server:
        async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.writer = writer

        return await asyncio.start_unix_server(meet, self.path)

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline_s, (self.events, self.troubles())
            await asyncio.sleep(0.01)

    def say(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)

    def troubles(self) -> tuple[str, ...]:
        return self.heard.beside(None, max_bytes=None).troubles


def play(path: Path, scenario: Callable[[Port], Awaitable[None]]) -> None:
    async def whole() -> None:
        port = Port(path)
        server = await port.listen()
        channel = AgentChannel(path, port.heard, clock=SystemClock())
        keeping = asyncio.create_task(channel.keep())
        try:
            await port.until(lambda: port.writer is not None)
            await scenario(port)
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            if port.writer is not None:
                port.writer.close()
            server.close()

    asyncio.run(whole())


def test_a_cry_is_heard_at_once_and_nonsense_is_told(tmp_path: Path) -> None:
    async def scenario(port: Port) -> None:
        port.say(b"what?\n" + json.dumps(CRY).encode() + b"\n")
        await port.until(lambda: len(port.events) == 1)
        assert port.events[0].free_bytes == 4096
        assert port.troubles() == ("its agent: a line is not JSON",)

    play(tmp_path / "a.agent", scenario)


def test_a_guest_that_floods_is_made_to_wait_and_told(tmp_path: Path) -> None:
    async def scenario(port: Port) -> None:
        port.say(b"{}\n" * 200_000)
        await port.until(lambda: any("more lines" in words for words in port.troubles()))
        assert port.writer is not None
        # The host does not read on: what the guest writes piles up on its own side.
        assert port.writer.transport.get_write_buffer_size() > 0

    play(tmp_path / "a.agent", scenario)


def test_the_socket_is_beside_the_monitor() -> None:
    assert agent_socket(Path("/run/vm/web.qmp")) == Path("/run/vm/web.agent")
