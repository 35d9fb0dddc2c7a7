#!/usr/bin/env python3
"""Tells the host when this guest begins to wait for memory, and now and then how it stands.

One file, standard library only, Python 3.6 or newer, Linux 4.20 or newer with PSI (psi=1). It says
what the kernel counts, hears nothing from the host, and changes nothing in the guest. What it
writes is described in docs/agent.md.
"""

import abc
import argparse
import errno
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import typing

VERSION = 1
PORT_NAME = "org.aerostat.agent.0"
PORTS = "/sys/class/virtio-ports"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
HOST_CID = 2  # what vsock calls the host, whoever it is
AGAIN_S = 2.0  # between two attempts to reach a host that does not listen
CONNECT_S = 1.0
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
            ("swap_total", b"SwapTotal:"),
            ("swap_free", b"SwapFree:"),
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


class Host(abc.ABC):
    """Where lines go."""

    @abc.abstractmethod
    def send(self, line: bytes) -> None:
        """Write a line, or drop it."""


class Port(Host):
    """A virtio-serial port: it takes a line whole or not at all, and there is always a host."""

    def __init__(self, number: int) -> None:
        self._number = number

    def send(self, line: bytes) -> None:
        """Write a line. Where nobody listens, or reads, it is dropped: old news is worth nothing.

        Raises:
            OSError: the port is gone.
        """
        try:
            os.write(self._number, line)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                raise


def vsock_to(port: int, cid: int = HOST_CID) -> "socket.socket":
    """A connection to whoever listens on the host; waits for a moment at most.

    Raises:
        OSError: nobody does, or this kernel or VM has no vsock.
    """
    import socket  # noqa: PLC0415 # who has a port does without its memory

    made = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    try:
        made.settimeout(CONNECT_S)
        made.connect((cid, port))
    except OSError:
        made.close()
        raise
    return made


class Stream(Host):
    """A connection that is made again when the host has hung up; lines meanwhile are dropped."""

    def __init__(self, connect: "typing.Callable[[], socket.socket]") -> None:
        self._connect = connect
        self._connected = None  # type: typing.Optional[socket.socket]
        self._rest = b""  # of a line that was taken in part
        self._next_s = 0.0
        self._said = ""

    def send(self, line: bytes) -> None:
        """Write a line, if the host takes it."""
        connected = self._connected or self._reach()
        if connected is None:
            return
        try:
            if self._rest:
                self._rest = self._rest[connected.send(self._rest) :]
            if not self._rest:
                self._rest = line[connected.send(line) :]
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                self._lose(error)

    def close(self) -> None:
        """Hang up."""
        if self._connected is not None:
            self._connected.close()
        self._connected, self._rest = None, b""

    def _reach(self) -> "typing.Optional[socket.socket]":
        now_s = time.monotonic()
        if now_s < self._next_s:
            return None
        self._next_s = now_s + AGAIN_S
        try:
            connected = self._connect()
        except OSError as error:  # also a timeout
            self._tell("the host does not listen: %s" % error)
            return None
        connected.setblocking(False)
        self._connected = connected
        self._tell("the host listens")
        return connected

    def _lose(self, error: OSError) -> None:
        self.close()
        self._tell("the host has hung up: %s" % error)

    def _tell(self, words: str) -> None:
        """Say what has changed, once."""
        if words != self._said:
            self._said = words
            say(words)


class Agent:
    """Waits for the kernel, and writes a line when it says something."""

    def __init__(
        self, host: Host, kernel: Kernel, triggers: "dict[int, str]", period_s: float
    ) -> None:
        self._host = host
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
        fired = set()  # type: set[str]
        for number, event in self._poll.poll(int(wait_s * 1000) + 1):
            if event & select.POLLPRI:
                fired.add(self._triggers[number])
            elif event & (select.POLLERR | select.POLLNVAL):
                self._poll.unregister(number)
                say("the kernel has dropped the trigger for " + self._triggers.pop(number))
        if fired:  # at once, and once: that everybody waits says that somebody does
            worst = "full" if "full" in fired else "some"
            self._host.send(line_of("pressure", self._kernel.figures(), trigger=worst))
        now_s = time.monotonic()
        if now_s >= self._next_s:
            figures = self._kernel.figures()
            self._host.send(line_of("figures", figures, triggers=len(self._triggers)))
            self._next_s = max(self._next_s + self._period_s, now_s)


def open_port(chosen: str) -> "typing.Optional[Host]":
    """The virtio-serial port; None, with the reason told, where there is none."""
    port = chosen or find_port()
    if not port:
        say("this VM has no virtio-serial port named %s: add one on the host" % PORT_NAME)
        return None
    try:
        return Port(os.open(port, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        say("%s: %s" % (port, error.strerror))
        return None


def open_vsock(number: int) -> "typing.Optional[Host]":
    """The stream to the host; None, with the reason told, where there can be none."""
    import socket  # noqa: PLC0415 # who has a port does without its memory

    if not hasattr(socket, "AF_VSOCK"):
        say("--vsock takes Python 3.7 or newer")
        return None
    return Stream(lambda: vsock_to(number))


def main() -> int:
    """Run until the port is gone; returns the exit status."""
    parser = argparse.ArgumentParser(description="Tells the host of this guest's memory pressure.")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--port", default="", help="device; default: the port named " + PORT_NAME)
    way.add_argument("--vsock", type=int, metavar="PORT", help="connect to this port of the host")
    parser.add_argument("--period", type=float, default=PERIOD_S, help="seconds between figures")
    chosen = parser.parse_args()
    if not 0.5 <= chosen.period <= 60:
        parser.error("--period is 0.5 to 60 seconds")
    if chosen.vsock is not None and not 0 < chosen.vsock < 2**32 - 1:
        parser.error("--vsock is a port, 1 to 4294967294")
    host = open_port(chosen.port) if chosen.vsock is None else open_vsock(chosen.vsock)
    if host is None:
        return 1
    agent = Agent(host, Kernel(), arm_triggers(), chosen.period)
    lock_memory()
    try:
        while True:
            agent.turn()
    except OSError as error:
        say("the port is gone: %s" % error.strerror)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
