"""The database's file: opened or made for writing, and moved aside when it is corrupt."""

import os
import sqlite3
import time
from pathlib import Path

from aerostat.store import schema
from aerostat.store.errors import DamagedFileError, ForeignFileError, StoreError

BUSY_S = 1.0
"""So long a statement waits for another process's lock before it says so."""

_MAGIC = b"SQLite format 3\0"
_DATABASE_SUFFIXES = frozenset({".db", ".sqlite", ".sqlite3"})
_COMPANIONS = ("-wal", "-shm")
_LOG_BYTES_MAX = 16 * 1024**2  # the log beside the file is cut back to this after a burst


Inode = tuple[int, int]
"""Device and number of a file: what stays the same when its name is given to another."""


def open_for_writing(path: Path) -> tuple[sqlite3.Connection, Inode]:
    """Open the store, or make it, with its folder; returns also which file it is.

    Raises:
        ForeignFileError: the file is another program's or a newer Aerostat's.
        DamagedFileError: it is a store, and parts of it cannot be read.
        sqlite3.Error: it cannot be opened, or is damaged (see ``is_damage``).
        OSError: its folder or the file cannot be made.
    """
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    # Whoever may see the VMs' names and sizes is the operator's choice, by the file's group.
    file_number = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    inode = inode_of(os.fstat(file_number))
    os.close(file_number)
    if not _may_be_a_database(path):
        # SQLite takes a file of a few bytes for an empty one and would write over it.
        raise DamagedFileError(path, "this is not a database")
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        if schema.is_empty(connection):
            schema.create(connection)
        schema.check(connection, path)
        schema.add_what_is_missing(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        # A crash of the machine may lose the last rounds, never the database; a crash of the
        # daemon loses nothing that was written.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES_MAX}")
        _check_pages(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection, inode


def inode_of(status: os.stat_result) -> Inode:
    """Which file it is."""
    return status.st_dev, status.st_ino


def _may_be_a_database(path: Path) -> bool:
    """Whether it is empty, or begins like one."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) in {b"", _MAGIC}


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    ((verdict,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
    if verdict != "ok":
        raise DamagedFileError(path, f"it is damaged: {verdict}")


def is_busy(error: Exception) -> bool:
    """Whether another process holds a lock: waiting helps."""
    return _primary_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_damage(error: Exception) -> bool:
    """Whether the file itself is damaged: waiting does not help."""
    codes = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    return isinstance(error, DamagedFileError) or _primary_code(error) in codes


def _primary_code(error: Exception) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def move_aside(path: Path) -> Path:
    """Rename a corrupt database and what belongs to it; nothing is deleted.

    Raises:
        ForeignFileError: it does not look like a database at all: a mistyped path must not
            rename somebody's file.
        OSError: it cannot be renamed.
    """
    if not _may_be_a_database(path) and path.suffix not in _DATABASE_SUFFIXES:
        raise ForeignFileError(path, "this is not a database; name another file for the store")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    path.rename(aside)
    for companion in _COMPANIONS:
        beside = path.with_name(path.name + companion)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + companion))
    return aside


def words(error: Exception, path: Path) -> str:
    """What went wrong, with the path, for the log."""
    if isinstance(error, StoreError):
        return str(error)
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or error}"
    if isinstance(error, sqlite3.Error):
        return f"{path}: {error}"
    return f"{path}: unexpected {type(error).__name__}: {error}"
