"""Readers that stay open between questions: opening one takes longer than most answers."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from aerostat.store.file import inode_of
from aerostat.store.reader import StoreReader, open_store

READERS_MAX = 4
"""So many wait for the next question; who asks when all are in use has one opened."""


class Readers:
    """Lends readers of one store. For any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._waiting: list[StoreReader] = []

    @contextlib.contextmanager
    def lent(self) -> Iterator[StoreReader]:
        """A reader for the length of a block, and for nobody else meanwhile.

        Raises:
            StoreError: there is no such store, or the block found that it cannot be read.
        """
        reader = self._taken() or open_store(self.path)
        try:
            yield reader
        except BaseException:
            reader.close()  # whatever it was, the next one begins afresh
            raise
        if not self._put_back(reader):
            reader.close()

    def close(self) -> None:
        """Close those that wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for reader in waiting:
            reader.close()

    def _taken(self) -> StoreReader | None:
        """One that waits, if it is still of the file of that name."""
        with self._lock:
            reader = self._waiting.pop() if self._waiting else None
        if reader is None:
            return None
        try:
            if inode_of(self.path.stat()) == reader.inode:
                return reader
        except OSError:
            pass  # opening it anew tells what is wrong
        reader.close()
        return None

    def _put_back(self, reader: StoreReader) -> bool:
        with self._lock:
            if not reader.is_live or len(self._waiting) >= READERS_MAX:
                return False
            self._waiting.append(reader)
            return True
