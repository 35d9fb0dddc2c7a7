"""The workload sees memory that is lost or corrupted: run here on the host, and tampered with."""

import gzip
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aerostat.lab.image import GuestImage

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.beside]

PAGE_BYTES = 4096
HOT_PAGES = 64


def extract(image: GuestImage, name: str) -> bytes:
    """Read a file of the initramfs."""
    archive = gzip.decompress(image.initramfs.read_bytes())
    at = 0
    while True:
        size, name_size = (int(archive[at + i : at + i + 8], 16) for i in (54, 94))
        data_at = (at + 110 + name_size + 3) // 4 * 4
        if archive[at + 110 : at + 110 + name_size - 1].decode() == name:
            return archive[data_at : data_at + size]
        at = (data_at + size + 3) // 4 * 4


class Workload:
    """The guest's program as a process of the host, with its port on a socket."""

    def __init__(self, program: Path, *arguments: str) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [program, str(theirs.fileno()), f"hot={HOT_PAGES * PAGE_BYTES}", *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._lines = self._ours.makefile("r")
        self._ours.settimeout(10)

    def sample(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read until a report is as wanted."""
        sample: dict[str, Any] = {}
        for _second in range(20):
            sample = json.loads(self._lines.readline())
            if condition(sample):
                return sample
        raise AssertionError(f"no such report; the last: {sample}")

    def order(self, text: str) -> None:
        """Send an order and let it take effect: two reports later it has."""
        self._ours.sendall(text.encode() + b"\n")
        self.sample(lambda _: True)
        self.sample(lambda _: True)

    def heap(self) -> int:
        """Find the address of the heap: the largest mapping."""
        sizes = {}
        for line in Path(f"/proc/{self.process.pid}/maps").read_text().splitlines():
            start, end = (int(text, 16) for text in line.split()[0].split("-"))
            sizes[end - start] = start
        return sizes[max(sizes)]

    def memory(self) -> int:
        """Open its memory."""
        return os.open(f"/proc/{self.process.pid}/mem", os.O_RDWR)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        self._lines.close()
        self._ours.close()


@pytest.fixture
def program(image: GuestImage, tmp_path: Path) -> Path:
    """The guest's program, where the host can run it."""
    if os.geteuid() != 0:
        pytest.skip("the workload locks memory and wants real-time priority: needs root")
    if not Path("/proc/pressure/memory").exists():
        pytest.skip("this host's kernel has no pressure figures")
    program = tmp_path / "workload"
    program.write_bytes(extract(image, "bin/workload"))
    program.chmod(0o755)
    return program


@pytest.fixture(params=["comp=0", "comp=60", "same=40"])
def workload(request: pytest.FixtureRequest, program: Path) -> Iterator[Workload]:
    running = Workload(program, "rate=2000", request.param)
    try:
        running.sample(lambda sample: sample["heap_bytes"] == HOT_PAGES * PAGE_BYTES)
        yield running
    finally:
        running.close()


def test_untouched_memory_shows_no_errors(workload: Workload) -> None:
    assert workload.sample(lambda sample: sample["served"] > 1900)["checksum_errors"] == 0


def test_a_page_that_comes_back_as_zeros_is_seen(workload: Workload) -> None:
    memory = workload.memory()
    os.pwrite(memory, bytes(PAGE_BYTES), workload.heap())
    os.close(memory)
    workload.sample(lambda sample: sample["checksum_errors"] == 1)


def test_a_page_that_comes_back_as_an_older_copy_is_seen(workload: Workload) -> None:
    workload.order("rate 0")
    memory, heap = workload.memory(), workload.heap()
    old = os.pread(memory, PAGE_BYTES, heap)
    workload.order("rate 2000")
    workload.order("rate 0")
    assert os.pread(memory, PAGE_BYTES, heap) != old
    os.pwrite(memory, old, heap)
    os.close(memory)
    workload.order("rate 2000")
    workload.sample(lambda sample: sample["checksum_errors"] == 1)


def test_a_flipped_bit_in_a_page_is_seen(workload: Workload) -> None:
    """Sooner or later: every touch checks one word of a page at random."""
    memory, heap = workload.memory(), workload.heap()
    for page in range(HOT_PAGES):
        for word in (100, 200, 300, 400):
            at = heap + page * PAGE_BYTES + word * 8
            os.pwrite(memory, bytes([os.pread(memory, 1, at)[0] ^ 0x10]), at)
    os.close(memory)
    workload.sample(lambda sample: sample["checksum_errors"] > 0)


def test_files_are_read_over_and_over_and_verified(tmp_path: Path, program: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    running = Workload(program, "rate=200", f"disk={disk}", f"reads={1 << 20}")
    try:
        assert running.sample(lambda sample: sample["served"] > 100)["checksum_errors"] == 0
        disk.write_bytes(b"\1" * (1 << 20))
        running.sample(lambda sample: sample["checksum_errors"] > 0)
    finally:
        running.close()


def test_a_stall_hurts_every_request_behind_it(workload: Workload) -> None:
    """The open loop: what was due meanwhile is offered, and late or shed, never forgotten."""
    before = workload.sample(lambda sample: sample["served"] > 1900)
    workload.process.send_signal(signal.SIGSTOP)  # the reporter too: it makes up for it
    stopped_s = time.monotonic()
    while time.monotonic() - stopped_s < 2:
        time.sleep(0.05)
    workload.process.send_signal(signal.SIGCONT)
    since = [workload.sample(lambda _: True) for _ in range(3)]
    elapsed_s = since[-1]["uptime_s"] - before["uptime_s"]
    assert elapsed_s > 3.5
    assert sum(sample["offered"] for sample in since) == pytest.approx(2000 * elapsed_s, rel=0.1)
    assert sum(sample["shed"] for sample in since) == pytest.approx(2000 * 1.5, rel=0.2)
