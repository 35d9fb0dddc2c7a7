"""Keeps rounds in the file, from the one thread that owns the connection."""

import contextlib
import sqlite3
from pathlib import Path

from aerostat import __version__
from aerostat.ports.journal import RoundRecord
from aerostat.store import file, retention
from aerostat.store.coarsening import Coarsening
from aerostat.store.retention import Retention
from aerostat.store.tape.chunk import ChunkBuilder
from aerostat.store.thinning import Thinning
from aerostat.store.writing import RoundWriter

REOPEN_S = 5.0
"""A file that cannot be opened is tried again after so long."""

UPKEEP_S = 60.0
"""How often old rounds are deleted."""


class Keeper:
    """The open database, or the reason why there is none. Times are those of the rounds."""

    def __init__(self, path: Path, retention: Retention, *, configuration: str | None) -> None:
        self._path = path
        self._retention = retention
        self._configuration = configuration
        self._connection: sqlite3.Connection | None = None
        self._writer: RoundWriter | None = None
        self._thinning = Thinning()
        self._coarsening = Coarsening(retention.fine_s)
        self._tape: ChunkBuilder | None = None
        self._inode: file.Inode | None = None
        self._refusal: Exception | None = None
        self._refused_s = 0.0
        self._tidied_s: float | None = None

    def keep(self, record: RoundRecord) -> bool:
        """Write what is new in a round, all of it or nothing; False: nothing was new.

        Raises:
            sqlite3.Error, OSError, StoreError: nothing was written.
        """
        writer = self._of_this_session(self._opened(record.trace.now_s))
        if self._tape is not None and not self._tape.follows(record):
            self._write_tape(writer)
        self._thinning.forget_the_gone(record)
        kept = self._thinning.thinned(record)
        if kept is not None:
            writer.write(kept)
            self._thinning.accept(kept)
        self._tape_on(record)
        return kept is not None

    def use_configuration(self, configuration: str | None) -> None:
        """What is kept from now on was decided by this: a session of its own. From any thread."""
        self._configuration = configuration

    def _of_this_session(self, writer: RoundWriter) -> RoundWriter:
        if writer.configuration == self._configuration or self._connection is None:
            return writer
        self._write_tape(writer)
        self._writer = RoundWriter(
            self._connection, aerostat=__version__, configuration=self._configuration
        )
        return self._writer

    def finish(self) -> None:
        """Write what is left of the tape.

        Raises:
            sqlite3.Error: it could not be written.
        """
        if self._writer is not None:
            self._write_tape(self._writer)

    def _tape_on(self, record: RoundRecord) -> None:
        """Take a round in full, once all else of it has been written: it is never taken twice."""
        if self._retention.tape_s is None or record.state is None:
            return
        if self._tape is None:
            self._tape = ChunkBuilder(record)
        else:
            self._tape.add(record)

    def _write_tape(self, writer: RoundWriter) -> None:
        if self._tape is not None:
            writer.write_chunk(self._tape.chunk())
            self._tape = None

    def tidy(self, record: RoundRecord) -> None:
        """Delete what is too old or too much, now and then.

        Raises:
            sqlite3.Error: not now; it is tried again the next time.
        """
        now_s = record.trace.now_s
        due = self._tidied_s is None or not 0 <= now_s - self._tidied_s < UPKEEP_S
        if self._connection is None or self._writer is None or not due:
            return
        self._tidied_s = now_s
        wall_s = record.snapshot.wall_s
        if retention.apply(self._connection, self._retention, self._coarsening, wall_s=wall_s):
            self._writer.forget_numbers()

    def move_aside(self) -> Path:
        """Put a damaged file out of the way, under another name; the next round begins a new one.

        Raises:
            OSError, StoreError: it stays where it is.
        """
        self.close()
        return file.move_aside(self._path)

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection, self._writer = self._connection, None, None
        self._thinning = Thinning()  # what another file knows, a new one does not
        self._refusal = None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # it was damaged, or its disk is full
                connection.close()

    def _opened(self, now_s: float) -> RoundWriter:
        if self._writer is not None and not self._is_replaced():
            return self._writer
        if self._refusal is not None and 0 <= now_s - self._refused_s < REOPEN_S:
            raise self._refusal
        self.close()
        try:
            self._connection, self._inode = file.open_for_writing(self._path)
        except Exception as error:
            if not file.is_busy(error):  # a lock was waited for already
                self._refusal, self._refused_s = error, now_s
            raise
        self._writer = RoundWriter(
            self._connection, aerostat=__version__, configuration=self._configuration
        )
        return self._writer

    def _is_replaced(self) -> bool:
        """Whether somebody deleted or moved the file: readers would not find what we write."""
        try:
            return file.inode_of(self._path.stat()) != self._inode
        except OSError:
            return True
