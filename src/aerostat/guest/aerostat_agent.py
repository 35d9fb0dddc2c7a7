#!/usr/bin/env python3
"""Tells the host when this guest begins to wait for memory, and now and then how it stands.

One file, standard library only, Python 3.6 or newer, Linux 4.20 or newer with PSI (psi=1). It says
what the kernel counts, hears nothing from the host, and changes nothing in the guest. What it
writes is described in docs/agent.md.
"""

import argparse
import errno
import os
import select
import sys
import time

VERSION = 1
PORT_NAME = "org.aerostat.agent.0"
PORTS = "/sys/class/virtio-ports"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PERIOD_S = 2.0
# The kernel watches for us which share of a half second somebody, or everybody, waited.
# Up to Linux 6.4 only root may ask; later others may, for whole multiples of two seconds.
WINDOWS_US = (500000, 2000000)
TRIGGER_RATIOS = (("some", 0.20), ("full", 0.05))
PRESSURE = "/proc/pressure/memory"
MCL_CURRENT_AND_FUTURE = 3


def say(words: str) -> None:
    """Tell the guest's own log."""
    sys.stderr.write("aerostat-agent: " + words + "\n")
    sys.stderr.flush()


def lock_memory() -> None:
    """Stay in memory: who is swapped out cannot tell that the guest swaps."""
    try:
        import ctypes  # noqa: PLC0415 # a minimal Python comes without it
    except ImportError:
        say("this Python has no ctypes: it may be swapped out like anybody else")
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.mlockall(MCL_CURRENT_AND_FUTURE) != 0:
        say("it may be swapped out like anybody else: " + os.strerror(ctypes.get_errno()))


def find_port() -> str:
    """The device of our virtio-serial port; empty where the VM has none."""
    try:
        devices = sorted(os.listdir(PORTS))
    except OSError:
        return ""
    for device in devices:
        try:
            with open(os.path.join(PORTS, device, "name")) as name:
                if name.read().strip() == PORT_NAME:
                    return "/dev/" + device
        except OSError:
            continue
    return ""


def number_after(text: bytes, key: bytes) -> int:
    """The number behind a key at the start of a line; -1 where the kernel does not have it."""
    at = text.find(b"\n" + key)
    if at < 0:
        if not text.startswith(key):
            return -1
        at = -1
    words = text[at + 1 + len(key) : at + 1 + len(key) + 40].split(None, 1)
    return int(words[0]) if words and words[0].isdigit() else -1


class Kernel:
    """The files that tell how the guest stands; opened once, because opening takes memory."""

    def __init__(self, proc: str = "/proc") -> None:
        self._files = {}  # type: dict[str, int]
        for name in ("meminfo", "vmstat", "pressure/memory"):
            try:
                self._files[name] = os.open(os.path.join(proc, name), os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue  # without PSI the rest is still worth telling

    def _text(self, name: str) -> bytes:
        number = self._files.get(name)
        try:
            return b"" if number is None else os.pread(number, 32768, 0)
        except OSError:
            return b""

    def figures(self) -> "dict[str, int]":
        """What the kernel counts, by the names of the protocol; what it lacks is left out."""
        found = {}  # type: dict[str, int]
        memory = self._text("meminfo")
        for name, key in (
            ("total", b"MemTotal:"),
            ("available", b"MemAvailable:"),
            ("free", b"MemFree:"),
        ):
            found[name + "_bytes"] = 1024 * number_after(memory, key)
        # As the balloon driver counts it, so that the host can compare.
        parts = [number_after(memory, key) for key in (b"Cached:", b"Buffers:", b"SwapCached:")]
        found["cache_bytes"] = 1024 * sum(parts) if min(parts) >= 0 else -1
        paging = self._text("vmstat")
        found["swap_in_bytes"] = PAGE_BYTES * number_after(paging, b"pswpin ")
        found["swap_out_bytes"] = PAGE_BYTES * number_after(paging, b"pswpout ")
        found["major_faults"] = number_after(paging, b"pgmajfault ")
        found["refaults"] = number_after(paging, b"workingset_refault_file ")
        found["oom_kills"] = number_after(paging, b"oom_kill ")
        for line in self._text("pressure/memory").splitlines():
            words = line.split()
            if words and words[-1].startswith(b"total="):
                found[words[0].decode("ascii") + "_total_us"] = int(words[-1][6:])
        return {name: value for name, value in found.items() if value >= 0}


def line_of(kind: str, figures: "dict[str, int]", trigger: str = "", triggers: int = 0) -> bytes:
    """One line of the protocol: an object of JSON that holds numbers and plain words only."""
    parts = ['"aerostat":%d' % VERSION, '"kind":"%s"' % kind]
    parts.append('"trigger":"%s"' % trigger if trigger else '"triggers":%d' % triggers)
    parts.append('"uptime_s":%.3f' % time.monotonic())
    parts += ['"%s":%d' % (name, figures[name]) for name in sorted(figures)]
    return ("{" + ",".join(parts) + "}\n").encode("ascii")


def arm_triggers(path: str = PRESSURE) -> "dict[int, str]":
    """Have the kernel wake us the moment pressure begins; which triggers it took, by their file."""
    armed = {}  # type: dict[int, str]
    refusal = None  # type: object
    for kind, ratio in TRIGGER_RATIOS:
        for window_us in WINDOWS_US:
            try:
                number = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                say("%s: %s; boot with psi=1" % (path, error.strerror))
                return armed
            try:
                os.write(number, b"%s %d %d\0" % (kind.encode(), ratio * window_us, window_us))
            except OSError as error:
                os.close(number)
                refusal = error.strerror
                continue
            armed[number] = kind
            break
        else:
            say("%s: the kernel takes no trigger for %s: %s" % (path, kind, refusal))
    return armed


class Agent:
    """Waits for the kernel, and writes a line when it says something."""

    def __init__(
        self, port: int, kernel: Kernel, triggers: "dict[int, str]", period_s: float
    ) -> None:
        self._port = port
        self._kernel = kernel
        self._triggers = triggers
        self._period_s = period_s
        self._next_s = time.monotonic()
        self._poll = select.poll()
        for number in triggers:
            self._poll.register(number, select.POLLPRI)

    def turn(self) -> None:
        """Wait for pressure, or for the next figures, and tell it."""
        wait_s = max(0.0, self._next_s - time.monotonic())
        for number, event in self._poll.poll(int(wait_s * 1000) + 1):
            if event & select.POLLPRI:
                self._send(
                    line_of("pressure", self._kernel.figures(), trigger=self._triggers[number])
                )
            elif event & (select.POLLERR | select.POLLNVAL):
                self._poll.unregister(number)
                say("the kernel has dropped the trigger for " + self._triggers.pop(number))
        now_s = time.monotonic()
        if now_s >= self._next_s:
            figures = self._kernel.figures()
            self._send(line_of("figures", figures, triggers=len(self._triggers)))
            self._next_s = max(self._next_s + self._period_s, now_s)

    def _send(self, line: bytes) -> None:
        # Where nobody listens, or reads, the line is dropped: old news is worth nothing.
        try:
            os.write(self._port, line)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                raise


def main() -> int:
    """Run until the port is gone; returns the exit status."""
    parser = argparse.ArgumentParser(description="Tells the host of this guest's memory pressure.")
    parser.add_argument("--port", help="device of the port; default: the one named " + PORT_NAME)
    parser.add_argument("--period", type=float, default=PERIOD_S, help="seconds between figures")
    chosen = parser.parse_args()
    if not 0.5 <= chosen.period <= 60:
        parser.error("--period is 0.5 to 60 seconds")
    port = chosen.port or find_port()
    if not port:
        say("this VM has no virtio-serial port named %s: add one on the host" % PORT_NAME)
        return 1
    try:
        number = os.open(port, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        say("%s: %s" % (port, error.strerror))
        return 1
    agent = Agent(number, Kernel(), arm_triggers(), chosen.period)
    lock_memory()
    try:
        while True:
            agent.turn()
    except OSError as error:
        say("%s: %s" % (port, error.strerror))
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
