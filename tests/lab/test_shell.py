"""``aerostat lab shell``: a person at a terminal types, the guest answers, nothing stays behind."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon_process import aerostat
from deadlines import PATIENCE_S

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.beside,
    pytest.mark.usefixtures("image"),
]


class Seat:
    """A terminal, and the verb at it."""

    def __init__(self, *options: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aerostat", "lab", "shell", *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, pattern: str) -> re.Match[str]:
        """Read until this is shown."""
        give_up_s = time.monotonic() + PATIENCE_S
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < give_up_s, f"{pattern}: not shown\n{self.shown}"
            if select.select([self._ours], [], [], 1.0)[0]:
                self.shown += self._read()
        return found

    def _read(self) -> str:
        try:
            return os.read(self._ours, 4096).decode(errors="replace")
        except OSError:
            raise AssertionError(f"the terminal was closed\n{self.shown}") from None

    def status(self) -> int:
        """How it ends; what it still shows is read, so that it can."""
        give_up_s = time.monotonic() + PATIENCE_S
        while (status := self._process.poll()) is None:
            assert time.monotonic() < give_up_s, self.shown
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self._ours, 4096).decode(errors="replace")
                except OSError:
                    return self._process.wait(PATIENCE_S)
        return status

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE_S)
        os.close(self._ours)


@contextmanager
def seated(*options: str) -> Iterator[tuple[Seat, Path]]:
    """Somebody at a shell of a guest that has booted, and its QMP socket."""
    seat = Seat(*options)
    try:
        socket = Path(seat.until(r"QMP: (\S+\.qmp)")[1])
        seat.until("# ")
        yield seat, socket
    finally:
        seat.close()


def qemus_of(socket: Path) -> list[int]:
    """Processes that were started with this socket."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(socket).encode() in place.read_bytes():
                found.append(int(place.parent.name))
        except OSError:
            continue  # it has ended meanwhile
    return found


def test_what_is_typed_is_done_in_the_guest_and_exit_ends_it() -> None:
    with seated("--memory", "256MiB", "--no-balloon") as (seat, socket):
        assert len(qemus_of(socket)) == 1
        seat.type("echo $((6 * 7)) is the answer\r")
        seat.until("42 is the answer")
        seat.type("grep MemTotal /proc/meminfo; ls /sys/bus/virtio/drivers/virtio_balloon | wc\r")
        total_kib = int(seat.until(r"MemTotal: +(\d+) kB")[1])
        assert 180 << 10 < total_kib < 256 << 10
        seat.type("stty size; tty\r")
        seat.until(r"\d+ \d+\s+/dev/ttyS1")
        seat.type("exit\r")
        assert seat.status() == 0, seat.shown
    assert qemus_of(socket) == []
    assert not socket.parent.exists()


def test_a_daemon_beside_it_sees_it_and_the_key_to_leave_ends_it() -> None:
    with seated("--memory", "256MiB", "--swap", "none") as (seat, socket):
        told = aerostat("doctor", "shell", "--qmp", str(socket))
        assert ": balloonable" in told.stdout, told.stdout + told.stderr
        seat.type("\x1d")
        assert seat.status() == 0, seat.shown
    assert qemus_of(socket) == []
    assert not socket.parent.exists()


def test_what_is_piped_in_is_done_to_its_end() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aerostat", "lab", "shell", "--memory", "256MiB", "-q"],
        input="echo $((6 * 7)) is the answer\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "42 is the answer" in done.stdout
