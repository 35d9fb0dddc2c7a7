"""Writes a recording, part by part."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aerostat import __version__
from aerostat.store.errors import StoreError
from aerostat.store.kept import Session
from aerostat.store.recording.columns import all_columns, arrow_schema
from aerostat.store.recording.parquet import parquet, pyarrow
from aerostat.store.recording.parts import METADATA_KEY, SCHEMA, Part
from aerostat.store.recording.rows import Row, rows_of

GROUP_ROWS = 50_000
"""Rows a group: of less, the table of columns takes more room than what is in them."""


class RecordingWriter:
    """A file that is there when all of it is written, and not before.

    Raises:
        MissingLibraryError: there is no pyarrow.
        StoreError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.unfinished")
        self._schema = arrow_schema()
        try:
            self._file: Any = parquet().ParquetWriter(
                str(self._unfinished), self._schema, compression="zstd"
            )
        except OSError as error:
            raise StoreError(path, f"it cannot be written: {error.strerror or error}") from error
        self._rows: list[Row] = []
        self._sessions: dict[int, Session] = {}
        self._is_full = True
        self._names: set[str] = set()
        self._first_wall_s: float | None = None
        self._last_wall_s = 0.0
        self.parts = 0
        self.rounds = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._write_rows()
                self._file.add_key_value_metadata({METADATA_KEY: json.dumps(self._header())})
            self._file.close()
            if error is None:
                self._unfinished.replace(self._path)
        except OSError as trouble:
            message = f"it cannot be written: {trouble.strerror or trouble}"
            raise StoreError(self._path, message) from trouble
        finally:
            self._unfinished.unlink(missing_ok=True)

    @property
    def guests(self) -> int:
        """How many there have been so far."""
        return len(self._names)

    def write(self, part: Part, session: Session) -> None:
        """Write a part, which has a round at least."""
        self._sessions[session.number] = session
        self._is_full = self._is_full and part.state is not None
        for record in part.rounds:
            self._names.update(guest.guest for guest in record.snapshot.guests)
        if self._first_wall_s is None:
            self._first_wall_s = part.rounds[0].snapshot.wall_s
        self._last_wall_s = part.rounds[-1].snapshot.wall_s
        self._rows.extend(rows_of(part, self.parts))
        self.parts += 1
        self.rounds += len(part.rounds)
        if len(self._rows) >= GROUP_ROWS:
            self._write_rows()

    def _write_rows(self) -> None:
        columns = {name: [row.get(name) for row in self._rows] for name in all_columns()}
        table = pyarrow().Table.from_pydict(columns, schema=self._schema)
        self._rows = []
        try:
            self._file.write_table(table)
        except OSError as error:
            message = f"it cannot be written: {error.strerror or error}"
            raise StoreError(self._path, message) from error

    def _header(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "aerostat": __version__,
            "is_full": self._is_full,
            "sessions": [
                {
                    "session": session.number,
                    "started_wall_s": session.started_wall_s,
                    "aerostat": session.aerostat,
                    "configuration": session.configuration,
                }
                for session in self._sessions.values()
            ],
            "parts": self.parts,
            "rounds": self.rounds,
            "guests": self.guests,
            "first_wall_s": self._first_wall_s or 0.0,
            "last_wall_s": self._last_wall_s,
        }
