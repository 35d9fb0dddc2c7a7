"""Real QEMU without a guest system: its BIOS runs, its monitor answers, it starts in 0.1 s."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.model.events import Event
from aerostat.model.figures import VmFootprint
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from deadlines import PATIENCE_S

FAST = QmpSettings(connect_deadline_s=1.0, command_deadline_s=1.0, rescan_s=0.05)
"""Deadlines for tests that wait for one to pass; far above what an answer takes."""


class SystemClock:
    """The machine's own clocks."""

    def now_s(self) -> float:
        return time.monotonic()

    def wall_s(self) -> float:
        return time.time()


class Qemu:
    """One QEMU process with a monitor on a socket."""

    def __init__(self, socket: Path, *options: str, balloon: bool = True) -> None:
        device = ("-device", "virtio-balloon-pci,id=b0") if balloon else ()
        machine = ("-accel", "tcg,tb-size=8", "-machine", "q35", "-m", "128")
        quiet = ("-display", "none", "-nodefaults")
        monitor = ("-qmp", f"unix:{socket},server=on,wait=off")
        self.socket = socket
        self.log = socket.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["qemu-system-x86_64", *quiet, *machine, *monitor, *device, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _is_listening(socket: Path) -> bool:
    """Whether somebody listens; between bind and listen a socket is there and refuses."""
    listens = "00010000"  # the kernel's flag __SO_ACCEPTCON
    rows = (line.split() for line in Path("/proc/net/unix").read_text().splitlines())
    return any(row[3] == listens and row[-1] == str(socket) for row in rows if len(row) > 7)


def _sockets_in(options: Sequence[str]) -> list[Path]:
    """Where other monitors of it will listen."""
    listed = [option.split(",")[0] for option in options if ",server=on" in option]
    return [Path(one.removeprefix("unix:")) for one in listed if one.startswith("unix:")]


def _await_listening(socket: Path, qemu: Qemu) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not _is_listening(socket):
        assert qemu.process.poll() is None, qemu.log.read_text()
        assert time.monotonic() < deadline_s, f"{socket} was not ready within {PATIENCE_S} s"
        time.sleep(0.005)


class Fleet:
    """Starts QEMUs in one directory, and ends them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._started: list[Qemu] = []

    def start(self, name: str, *options: str, balloon: bool = True, is_named: bool = True) -> Qemu:
        named = ("-name", name) if is_named else ()
        socket = self.directory / f"{name}.qmp"
        with suppress(FileNotFoundError):
            socket.unlink()
        qemu = Qemu(socket, *named, *options, balloon=balloon)
        self._started.append(qemu)
        for one in (socket, *_sockets_in(options)):
            _await_listening(one, qemu)
        return qemu

    def end(self) -> None:
        for qemu in self._started:
            qemu.kill()

    def second_monitor(self) -> tuple[Path, tuple[str, str]]:
        """A socket that the glob does not match, and the options that put a monitor there."""
        socket = self.directory / "second.sock"
        return socket, ("-qmp", f"unix:{socket},server=on,wait=off")

    @property
    def glob(self) -> str:
        return str(self.directory / "*.qmp")


@contextmanager
def fleet_in(directory: Path) -> Iterator[Fleet]:
    """A fleet whose QEMUs are killed at the end, whatever happened."""
    fleet = Fleet(directory)
    try:
        yield fleet
    finally:
        fleet.end()


class Session:
    """An open driver and what it told, for the length of an ``async with``."""

    def __init__(
        self,
        *patterns: str,
        settings: QmpSettings = FAST,
        footprint_of: Callable[[int], VmFootprint | None] | None = None,
    ) -> None:
        self.driver = QmpDriver(
            patterns, clock=SystemClock(), settings=settings, footprint_of=footprint_of
        )
        self.events: list[Event] = []

    async def __aenter__(self) -> "Session":
        await self.driver.open(self.events.append)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.driver.close()

    async def until_listed(self, *guests: str) -> None:
        """Wait until exactly these guests are there."""
        wanted = tuple(GuestId(guest) for guest in guests)
        deadline_s = time.monotonic() + PATIENCE_S
        while (listed := await self.driver.list_guests()) != wanted:
            assert time.monotonic() < deadline_s, f"listed {listed}, not {wanted}"
            await asyncio.sleep(0.01)

    async def until_state(self, guest: str, state: RunState) -> GuestSnapshot:
        """Wait until a guest is read in this state."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (snapshot := await self.driver.read_guest(GuestId(guest))).run_state is not state:
            assert time.monotonic() < deadline_s, f"{guest} is {snapshot.run_state}, not {state}"
            await asyncio.sleep(0.01)
        return snapshot


class Bystander:
    """Another client of the same VM, on a monitor of its own: what an operator may do meanwhile.

    It speaks raw JSON, so that the driver is not tested against the library it is made with.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def __aenter__(self) -> "Bystander":
        self._reader, self._writer = await asyncio.open_unix_connection(str(self._socket))
        greeting = await asyncio.wait_for(self._reader.readline(), PATIENCE_S)
        assert b"QMP" in greeting
        await self.execute("qmp_capabilities")
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()
        with suppress(OSError):  # QEMU may have ended first
            await self._writer.wait_closed()

    async def execute(self, command: str, **arguments: object) -> object:
        """Send one command and return its answer; events in between are skipped."""
        request = {"execute": command, "arguments": arguments}
        self._writer.write(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(await asyncio.wait_for(self._reader.readline(), PATIENCE_S))
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]

    async def quit(self) -> None:
        """End QEMU, which may be gone before its answer has left it."""
        with suppress(ConnectionError):
            await self.execute("quit")


async def wait_until(
    condition: Callable[[], bool], *, what: str, seen: Callable[[], object] = lambda: ""
) -> None:
    """Wait up to 10 s for a condition; the message of a failure says what was last seen."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"{what}: not within 10 s; last seen: {seen()}"
        await asyncio.sleep(0.01)
