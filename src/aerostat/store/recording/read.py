"""Reads a recording, part by part: never all of it at once."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aerostat.store.errors import DamagedFileError, ForeignFileError, StoreError
from aerostat.store.kept import Session
from aerostat.store.recording.columns import all_columns
from aerostat.store.recording.parquet import parquet, pyarrow
from aerostat.store.recording.parts import METADATA_KEY, SCHEMA, Part, RecordingHeader
from aerostat.store.recording.rows import Row, part_of

_MAGIC = b"PAR1"


class RecordingReader:
    """An open recording."""

    def __init__(self, path: Path, file: Any, header: RecordingHeader) -> None:
        self.path = path
        self.header = header
        self._file = file

    def parts(self) -> Iterator[Part]:
        """Parts in order.

        Raises:
            DamagedFileError: some of it cannot be read.
            ForeignFileError: there is something in it that this version does not know.
        """
        rows: list[Row] = []
        for group in range(self._file.num_row_groups):
            for row in self._rows(group):
                if rows and row["part"] != rows[0]["part"]:
                    yield self._part(rows)
                    rows = []
                rows.append(row)
        if rows:
            yield self._part(rows)

    def _rows(self, group: int) -> Iterator[Row]:
        arrow = pyarrow()
        known = [name for name in all_columns() if name in self._file.schema_arrow.names]
        try:
            table = self._file.read_row_group(group, columns=known)
        except (arrow.ArrowInvalid, OSError) as error:
            raise DamagedFileError(self.path, f"it is damaged: {error}") from error
        columns = [table.column(name).to_pylist() for name in known]
        # What an older version did not write yet is absent.
        unknown = dict.fromkeys(name for name in all_columns() if name not in known)
        for values in zip(*columns, strict=True):
            yield {**unknown, **dict(zip(known, values, strict=True))}

    def _part(self, rows: list[Row]) -> Part:
        try:
            return part_of(rows)
        except (ValueError, KeyError, TypeError) as error:
            raise ForeignFileError(
                self.path,
                f"part {rows[0]['part']}, from round {rows[0]['round']} on, holds what this "
                f"Aerostat does not know: {error}",
            ) from error


def is_recording(path: Path) -> bool:
    """Whether a file is a Parquet file that says it is a recording; anything else is not."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return False
    except OSError:
        return False
    arrow = pyarrow()
    try:
        metadata = parquet().read_metadata(str(path)).metadata
    except (arrow.ArrowInvalid, OSError):
        return False
    return METADATA_KEY in (metadata or {})


def open_recording(path: Path) -> RecordingReader:
    """Open a recording.

    Raises:
        MissingLibraryError: there is no pyarrow.
        StoreError: there is no such file, or it cannot be read.
        DamagedFileError: it is cut off or damaged.
        ForeignFileError: it is no recording, or one of another version.
    """
    _check_frame(path)
    arrow = pyarrow()
    try:
        file = parquet().ParquetFile(str(path))
    except (arrow.ArrowInvalid, OSError) as error:
        raise DamagedFileError(path, f"it is damaged: {error}") from error
    return RecordingReader(path, file, _header(path, file.metadata.metadata or {}))


def _check_frame(path: Path) -> None:
    """A Parquet file begins and ends with the same four letters."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
            size = file.seek(0, 2)
            file.seek(max(0, size - len(_MAGIC)))
            tail = file.read(len(_MAGIC))
    except FileNotFoundError as error:
        raise StoreError(path, "there is no such file") from error
    except OSError as error:
        raise StoreError(path, f"it cannot be read: {error.strerror or error}") from error
    if head.startswith(b"SQLi"):
        raise ForeignFileError(
            path,
            "this is a store, not a recording; make one of it with "
            "`aerostat record export FILE.parquet --store ...`",
        )
    if head != _MAGIC:
        raise ForeignFileError(
            path, "this is not a recording: `aerostat record export` writes one, a Parquet file"
        )
    if tail != _MAGIC or size < 3 * len(_MAGIC):
        raise DamagedFileError(path, "it is cut off: its end is missing; export or copy it again")


def _header(path: Path, metadata: Mapping[bytes, bytes]) -> RecordingHeader:
    if METADATA_KEY not in metadata:
        raise ForeignFileError(
            path, "this Parquet file is no recording: `aerostat record export` writes one"
        )
    try:
        told = json.loads(metadata[METADATA_KEY])
        schema = told["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(path, f"what it says of itself is damaged: {error}") from error
    if schema != SCHEMA:
        raise ForeignFileError(
            path,
            f"it is of schema {schema!r}, written by Aerostat {told.get('aerostat', '?')}; "
            f"this one reads {SCHEMA!r}",
        )
    return RecordingHeader(
        aerostat=told["aerostat"],
        is_full=told["is_full"],
        sessions={one["session"]: _session(one) for one in told["sessions"]},
        parts=told["parts"],
        rounds=told["rounds"],
        guests=told["guests"],
        first_wall_s=told["first_wall_s"],
        last_wall_s=told["last_wall_s"],
    )


def _session(told: Mapping[str, Any]) -> Session:
    return Session(
        number=told["session"],
        started_wall_s=told["started_wall_s"],
        aerostat=told["aerostat"],
        configuration=told["configuration"],
    )
