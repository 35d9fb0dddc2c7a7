"""Reads the kernel's text files, and tells a missing file from an unreadable one."""

from pathlib import Path

from aerostat.ports.errors import SensorError


def read_text(path: Path) -> str:
    """Read a file of /proc or /sys.

    Raises:
        SensorError: it is missing or may not be read.
    """
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise SensorError(str(path), error.strerror or str(error)) from error


def read_text_if_any(path: Path) -> str | None:
    """Read a file that a kernel may not have, or may refuse to serve (PSI switched off)."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None


def read_count_if_any(path: Path) -> int | None:
    """Read a file that holds one whole number; None when it is missing or holds anything else."""
    text = read_text_if_any(path)
    return parse_count(text) if text is not None else None


def parse_count(text: str) -> int | None:
    """One non-negative decimal number, or None ("max", "-1", nothing)."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else None
