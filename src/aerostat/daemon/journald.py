"""Log lines as journald likes them: a message in words, its priority, and a field for every key.

Where systemd has connected standard error to its journal, ``JOURNAL_STREAM`` says so, and lines go
to journald itself. Protocol: systemd's "Native Journal Protocol".
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import struct
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from aerostat.present.printable import printable

SOCKET = Path("/run/systemd/journal/socket")
IDENTIFIER = "aerostat"
_PREFIX = "AEROSTAT_"
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_PRIORITY_OF_OTHERS = 4  # what has no level is out of the ordinary
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def journal_behind(out: TextIO, environment: Mapping[str, str], path: Path) -> "Journald | None":
    """The journal that a file leads to; None: it leads elsewhere."""
    said = environment.get("JOURNAL_STREAM", "")
    status = os.fstat(out.fileno())
    is_it = said == f"{status.st_dev}:{status.st_ino}"  # a child's file may be another one
    return Journald(path) if is_it and path.exists() else None


class Journald:
    """Sends lines to journald; waits for it as long as it takes, so from a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def send(self, line: str) -> bool:
        """Send one JSON line; False: it did not take it, and somebody else may."""
        try:
            datagram = entry_of(json.loads(line))
        except (ValueError, AttributeError):
            return False  # not a line of ours
        try:
            self._socket.sendto(datagram, self._address)
        except OSError as error:
            # What is too long for a datagram is handed over as a file.
            return error.errno in {errno.EMSGSIZE, errno.ENOBUFS} and self._send_file(datagram)
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _send_file(self, datagram: bytes) -> bool:
        with contextlib.suppress(OSError):
            number = os.memfd_create(IDENTIFIER, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            with os.fdopen(number, "wb") as file:
                file.write(datagram)
                file.flush()
                fcntl.fcntl(number, fcntl.F_ADD_SEALS, _SEALS)  # it reads only what cannot change
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [number]))
                self._socket.sendmsg([b""], [rights], 0, self._address)
                return True
        return False


def entry_of(line: Mapping[str, Any]) -> bytes:
    """A log line as an entry of the journal."""
    priority = _PRIORITIES.get(line.get("level", ""), _PRIORITY_OF_OTHERS)
    fields = {
        "MESSAGE": message_of(line),
        "PRIORITY": str(priority),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        **{
            _PREFIX + key.upper(): value if isinstance(value, str) else json.dumps(value)
            for key, value in line.items()
            if value is not None and key not in {"level", "timestamp"}
        },
    }
    return b"".join(_field(name, value) for name, value in fields.items())


def message_of(line: Mapping[str, Any]) -> str:
    """What happened in words."""
    text = str(line.get("event", "")).replace("_", " ")
    if isinstance(words := line.get("words"), str):
        text = words
    elif rest := _rest(line):
        text = f"{text}: {rest}"
    guest = line.get("guest")
    return printable(text if guest is None else f"{guest}: {text}")


def _rest(line: Mapping[str, Any]) -> str:
    if isinstance(detail := line.get("detail"), str) and detail:
        return detail
    told = {k: v for k, v in line.items() if k not in _SAID_ELSEWHERE and v is not None}
    return ", ".join(
        f"{key} {value if isinstance(value, str) else json.dumps(value)}"
        for key, value in told.items()
    )


_SAID_ELSEWHERE = frozenset({"event", "level", "timestamp", "guest", "id", "words", "detail"})


def _field(name: str, value: str) -> bytes:
    data = value.encode(errors="replace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
