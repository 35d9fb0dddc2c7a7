"""Where standard error is the journal, each line is an entry of it with fields of its own."""

import array
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import structlog

from aerostat.daemon.logs import logs_on
from deadlines import PATIENCE_S

Entry = dict[str, str]


class Journal:
    """Listens where journald would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE_S)

    def entry(self) -> Entry:
        """The next one that comes, by datagram or as a sealed file."""
        rights = socket.CMSG_LEN(array.array("i").itemsize)
        data, ancillary, _, _ = self._socket.recvmsg(1 << 20, rights)
        for _level, kind, numbers in ancillary:
            assert kind == socket.SCM_RIGHTS
            (number,) = struct.unpack("i", numbers)
            with os.fdopen(number, "rb") as file:
                file.seek(0)
                data = file.read()
        return parsed(data)

    def close(self) -> None:
        self._socket.close()


def parsed(data: bytes) -> Entry:
    entry: Entry = {}
    while data:
        name, is_plain, rest = data.partition(b"\n")[0].partition(b"=")
        if is_plain:
            entry[name.decode()], data = rest.decode(), data.partition(b"\n")[2]
        else:
            begin = len(name) + 1 + 8
            (length,) = struct.unpack("<Q", data[len(name) + 1 : begin])
            entry[name.decode()] = data[begin : begin + length].decode()
            assert data[begin + length : begin + length + 1] == b"\n"
            data = data[begin + length + 1 :]
    return entry


@contextmanager
def journal_behind_stderr(folder: Path) -> Iterator[tuple[Journal, TextIO, dict[str, str]]]:
    journal = Journal(folder / "journal.sock")
    try:
        with (folder / "stderr").open("w") as out:
            status = os.fstat(out.fileno())
            yield journal, out, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    finally:
        journal.close()


def test_a_line_is_an_entry_with_fields(tmp_path: Path) -> None:
    with journal_behind_stderr(tmp_path) as (journal, out, environment):
        with logs_on(out, environment=environment, journal_socket=journal.path):
            structlog.get_logger().info(
                "target", guest="db-1", words="gives memory", reason="taken_for_others",
                target_bytes=5, detail=None,
            )  # fmt: skip
            structlog.get_logger().warning("guest_trouble", guest="web\x1b[2J", detail="two\nlines")
            structlog.get_logger().error("round_failed", failures=3)
            structlog.get_logger().info("started", mode="observe", sockets=["/a", "/b"])
        target, trouble, failed, started = (journal.entry() for _ in range(4))
        assert target == {
            "MESSAGE": "db-1: gives memory",
            "PRIORITY": "6",
            "SYSLOG_IDENTIFIER": "aerostat",
            "AEROSTAT_EVENT": "target",
            "AEROSTAT_GUEST": "db-1",
            "AEROSTAT_WORDS": "gives memory",
            "AEROSTAT_REASON": "taken_for_others",
            "AEROSTAT_TARGET_BYTES": "5",
        }
        assert (trouble["PRIORITY"], trouble["AEROSTAT_DETAIL"]) == ("4", "two\nlines")
        assert trouble["MESSAGE"] == "web?[2J: guest trouble: two?lines"
        assert (failed["PRIORITY"], failed["MESSAGE"]) == ("3", "round failed: failures 3")
        assert started["AEROSTAT_SOCKETS"] == '["/a", "/b"]'
        assert (tmp_path / "stderr").read_text() == ""


def test_what_is_too_long_for_a_datagram_arrives_whole(tmp_path: Path) -> None:
    detail = "x" * 400_000
    with journal_behind_stderr(tmp_path) as (journal, out, environment):
        with logs_on(out, environment=environment, journal_socket=journal.path):
            structlog.get_logger().error("journal_trouble", detail=detail)
        assert journal.entry()["AEROSTAT_DETAIL"] == detail


def test_without_a_journal_lines_are_json(tmp_path: Path) -> None:
    """Where there is none, where the file is another one, and where it has gone away."""
    with journal_behind_stderr(tmp_path) as (journal, out, environment):
        for told in ({}, {"JOURNAL_STREAM": "1:2"}, {"JOURNAL_STREAM": ""}):
            with logs_on(out, environment=told, journal_socket=journal.path):
                structlog.get_logger().info("stopped", rounds=1)
        with logs_on(out, environment=environment, journal_socket=journal.path):
            journal.path.unlink()
            structlog.get_logger().info("stopped", rounds=2)
        with logs_on(out, environment=environment, journal_socket=journal.path):
            structlog.get_logger().info("stopped", rounds=3)
    lines = (tmp_path / "stderr").read_text().splitlines()
    assert len(lines) == 5
    assert all('"event": "stopped"' in line for line in lines)
