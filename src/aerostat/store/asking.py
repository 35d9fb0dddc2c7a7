"""Asks an open database; what is wrong with it comes as a sentence."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aerostat.store.errors import StoreError

Row = dict[str, Any]


class Asked:
    """The file, and an open connection to it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        """All it answers.

        Raises:
            StoreError: it cannot be read.
        """
        with self.told():
            cursor = self.connection.execute(statement, values)
            found = cursor.fetchall()
        # Of two columns of one name the first is meant: the guest's own id, not its number here.
        # It comes last, and so it stays.
        names = [column[0] for column in reversed(cursor.description)]
        return [dict(zip(names, reversed(row), strict=True)) for row in found]

    def tuples(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The same in the statement's own order, where there are many.

        Raises:
            StoreError: it cannot be read.
        """
        with self.told():
            return self.connection.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Tell what is wrong with the file, or with what it says.

        Raises:
            StoreError: something is.
        """
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(self.path, f"it cannot be read: {error}") from error
        except ValueError as error:
            raise StoreError(
                self.path, f"a newer Aerostat wrote something this one does not know: {error}"
            ) from error
