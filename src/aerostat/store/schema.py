"""The tables, and which files hold them in a version we know."""

import contextlib
import sqlite3
from importlib import resources
from pathlib import Path

from aerostat.store.errors import ForeignFileError, StoreError

SCHEMA_VERSION = 1
"""Kept in ``PRAGMA user_version``; a change of meaning or of columns raises it."""

APPLICATION_ID = 0x41455230
"""Kept in ``PRAGMA application_id``: the letters AER0, so that ``file`` and we know our own."""


def schema_text() -> str:
    """The SQL that makes an empty store."""
    return resources.files("aerostat.store").joinpath("schema.sql").read_text("utf-8")


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database; all of them or none."""
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only before the first table
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN IMMEDIATE;\n{schema_text()}\n"
        f"PRAGMA application_id = {APPLICATION_ID};\n"
        f"PRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;"
    )


def columns(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """Every table's columns with their types."""
    found = connection.execute(
        "SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c"
        " WHERE t.type = 'table' ORDER BY t.rowid, c.cid"
    )
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in found:
        tables.setdefault(table, {})[column] = kind
    return tables


def add_what_is_missing(connection: sqlite3.Connection) -> None:
    """Give a file of an older release of this version the tables and columns that came since."""
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        model.executescript(schema_text())
        wanted = columns(model)
        _add_tables(model, connection)
    present = columns(connection)
    for table, kinds in wanted.items():
        for column, kind in kinds.items():
            if column not in present[table]:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def _add_tables(model: sqlite3.Connection, connection: sqlite3.Connection) -> None:
    wanted = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"
    present = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    for name, sql in model.execute(wanted):
        if name not in present:
            connection.execute(sql)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nobody has put anything into this database."""
    return (
        pragma(connection, "application_id") == 0
        and not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    )


def check(connection: sqlite3.Connection, path: Path) -> None:
    """See to it that the database is a store of a version we know.

    Raises:
        ForeignFileError: it is another program's, or a newer Aerostat's.
        StoreError: it is empty: no daemon has written to it yet.
    """
    if is_empty(connection):
        raise StoreError(path, "nothing has been written to it yet; is the daemon running?")
    if pragma(connection, "application_id") != APPLICATION_ID:
        raise ForeignFileError(
            path,
            "this is another program's database; name Aerostat's with --store, or in the "
            "configuration with [store] path",
        )
    version = pragma(connection, "user_version")
    if version > SCHEMA_VERSION:
        raise ForeignFileError(
            path,
            f"a newer Aerostat wrote it (schema {version}, this one knows {SCHEMA_VERSION}): "
            "use that Aerostat, or move the file away and a new one is begun",
        )


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The value of a numeric pragma."""
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
