"""The archive format of an initramfs ("newc" cpio), written without the cpio program."""

import io
import stat
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file, directory or character device of the archive."""

    path: str  # relative, without a leading slash
    mode: int  # type and permissions, as in stat.st_mode
    data: bytes = b""
    device: tuple[int, int] = (0, 0)  # major, minor


def regular_file(path: str, data: bytes, *, is_executable: bool = False) -> Entry:
    """Make an entry for a file owned by root."""
    return Entry(path=path, mode=stat.S_IFREG | (0o755 if is_executable else 0o644), data=data)


def directory(path: str) -> Entry:
    """Make an entry for a directory."""
    return Entry(path=path, mode=stat.S_IFDIR | 0o755)


def character_device(path: str, major: int, minor: int) -> Entry:
    """Make an entry for a device node."""
    return Entry(path=path, mode=stat.S_IFCHR | 0o600, device=(major, minor))


def write_archive(entries: Iterable[Entry]) -> bytes:
    """Write the archive. Times are 0, so that equal contents make equal archives."""
    archive = io.BytesIO()
    for inode, entry in enumerate(entries, start=1):
        _write_entry(archive, entry, inode)
    _write_entry(archive, Entry(path="TRAILER!!!", mode=0), 0)
    return archive.getvalue()


def _write_entry(archive: io.BytesIO, entry: Entry, inode: int) -> None:
    name = entry.path.encode() + b"\0"
    major, minor = entry.device
    fields = (inode, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, major, minor, len(name), 0)
    archive.write(b"070701" + b"".join(b"%08X" % field for field in fields))
    archive.write(name)
    _pad(archive)
    archive.write(entry.data)
    _pad(archive)


def _pad(archive: io.BytesIO) -> None:
    archive.write(b"\0" * (-archive.tell() % 4))
