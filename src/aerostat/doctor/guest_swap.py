"""Whether a guest has swap, by QEMU's guest agent: it reads one file of the guest's, nothing else.

To its balloon driver a guest that has not swapped yet looks like one without swap.
"""

import asyncio
import json
import secrets
import socket
import time
from pathlib import Path

from aerostat.doctor.vm_ports import VmPort
from aerostat.drivers.libvirt.agent import read_file
from aerostat.drivers.libvirt.errors import CallRefusedError
from aerostat.units import KIB

ANSWER_S = 3.0
_SWAPS = "/proc/swaps"
_LINE_BYTES_MAX = 1 << 20
_DELIMITER = b"\xff"


async def guest_swap_bytes(port: VmPort | None) -> int | None:
    """How much swap the guest has; None: nobody tells, or not in a way that makes sense."""
    if port is None or port.socket is None or not port.is_open:
        return None
    return await asyncio.to_thread(_ask, port.socket)


def _ask(path: Path) -> int | None:
    """Connect, ask, leave: an agent's socket serves one client at a time, as a monitor does."""
    try:
        with socket.socket(socket.AF_UNIX) as connected:
            agent = _Agent(connected, give_up_s=time.monotonic() + ANSWER_S)
            connected.connect(str(path))
            agent.synchronise()
            return parse_swaps(read_file(agent.ask, _SWAPS))
    except (OSError, CallRefusedError, ValueError, RecursionError):
        return None


def parse_swaps(untrusted: str) -> int:
    """The sizes in the text of /proc/swaps, summed.

    Raises:
        ValueError: it is something else.
    """
    heading, *rows = untrusted.splitlines() or [""]
    if not heading.startswith("Filename"):
        raise ValueError("that is not the text of /proc/swaps")
    sizes = [row.split()[2] for row in rows if len(row.split()) >= 5]
    if not all(size.isascii() and size.isdecimal() and len(size) < 16 for size in sizes):
        raise ValueError("a size in it is no number")
    return sum(int(size) for size in sizes) * KIB


class _Agent:
    """Lines to an agent and back, all before one deadline."""

    def __init__(self, connected: socket.socket, *, give_up_s: float) -> None:
        self._socket = connected
        self._give_up_s = give_up_s
        self._unread = b""
        connected.settimeout(ANSWER_S)

    def synchronise(self) -> None:
        """Pass over what is left of whoever asked before."""
        number = secrets.randbelow(1 << 31)
        told = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
        self._socket.sendall(_DELIMITER + json.dumps(told).encode() + b"\n")
        while True:
            line = self._line()
            if _DELIMITER in line:
                answer = json.loads(line.rpartition(_DELIMITER)[2])
                if isinstance(answer, dict) and answer.get("return") == number:
                    return

    def ask(self, text: str) -> str:
        """Send a command and return its untrusted answer."""
        self._socket.sendall(text.encode() + b"\n")
        return self._line().decode("utf-8", "replace")

    def _line(self) -> bytes:
        while b"\n" not in self._unread:
            left_s = self._give_up_s - time.monotonic()
            if left_s <= 0 or len(self._unread) > _LINE_BYTES_MAX:
                raise TimeoutError("the agent does not answer")
            self._socket.settimeout(left_s)
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("the agent's socket was closed")
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        return line
