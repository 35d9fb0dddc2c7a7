"""Reads the kernel's text files, and tells a missing file from an unreadable one."""

import os
from pathlib import Path

from aerostat.ports.errors import SensorError

_PART_BYTES = 1 << 16


def read_text(path: Path | str) -> str:
    """Read a file of /proc or /sys.

    Raises:
        SensorError: it is missing or may not be read.
    """
    try:
        return _read(path)
    except OSError as error:
        raise SensorError(str(path), error.strerror or str(error)) from error


def read_text_if_any(path: Path | str) -> str | None:
    """Read a file that a kernel may not have, or may refuse to serve (PSI switched off)."""
    try:
        return _read(path)
    except OSError:
        return None


def read_record_if_any(path: str) -> str | None:
    """Read a file that the kernel writes in one piece, as most of one process or one cgroup.

    What comes short of the room for it is all there is: no second call to be told so. Files that
    list something (mountinfo, vmstat, cgroup.procs) come in parts.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        record = os.read(file, _PART_BYTES)
    except OSError:
        return None
    finally:
        os.close(file)
    if len(record) == _PART_BYTES:
        return read_text_if_any(path)
    return record.decode("ascii", "replace")


def _read(path: Path | str) -> str:
    """Plain calls: a file object takes several times as long as the kernel does for such a file."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = [os.read(file, _PART_BYTES)]
        while parts[-1]:
            parts.append(os.read(file, _PART_BYTES))
    finally:
        os.close(file)
    return b"".join(parts).decode("ascii", "replace")


def read_count_if_any(path: Path | str) -> int | None:
    """Read a file that holds one whole number; None when it is missing or holds anything else."""
    text = read_record_if_any(str(path))
    return parse_count(text) if text is not None else None


def parse_count(text: str) -> int | None:
    """One non-negative decimal number, or None ("max", "-1", nothing)."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else None
