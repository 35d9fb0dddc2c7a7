"""Reads a trace of any of the layouts; which one, name and columns tell."""

from collections.abc import Callable
from pathlib import Path

from aerostat.sim.trace.grid import grid_of, trace_of_grid
from aerostat.sim.trace.gwa import is_gwa, read_gwa_folder, read_gwa_rows
from aerostat.sim.trace.npz import read_npz
from aerostat.sim.trace.recording import is_recording, read_recording_rows
from aerostat.sim.trace.rows import Account, Rows
from aerostat.sim.trace.table import (
    heads_of,
    layout_of,
    parquet_columns,
    read_csv_rows,
    read_parquet_rows,
)
from aerostat.sim.trace.trace import Reading, Trace, TraceError

SUFFIXES = (".csv", ".parquet", ".npz")


def read_trace(path: Path, reading: Reading | None = None) -> Trace:
    """Read a trace; what was skipped, cut or filled is in its notes.

    Args:
        path: a ``.csv``, ``.parquet`` or ``.npz`` file, or a folder in the layout of the GWA.
        reading: how strictly, and which VMs.

    Raises:
        TraceError: it cannot be read, is read strictly and malformed, or no VM can be used.
    """
    reading = reading or Reading()
    if not path.exists():
        raise TraceError(f"{path}: there is no such file or folder")
    if path.suffix == ".npz":
        return read_npz(path, reading)
    account = Account(is_strict=reading.is_strict)
    reader = _reader(path)
    reading = reading.settled(is_recording=reader is read_recording_rows)
    rows = reader(path, account)
    if account.rows:
        account.check(path)
    grid, notes = grid_of(rows, path, reading)
    return trace_of_grid(grid, path.stem, path, reading, (*account.notes(), *notes))


def _reader(path: Path) -> Callable[[Path, Account], Rows]:
    if path.is_dir():
        return read_gwa_folder
    if path.suffix == ".parquet":
        return read_recording_rows if is_recording(parquet_columns(path)) else read_parquet_rows
    if path.suffix == ".csv":
        return read_gwa_rows if is_gwa(path) else _read_csv
    raise TraceError(
        f"{path}: a trace is a folder or a file that ends in {', '.join(SUFFIXES)} (docs/traces.md)"
    )


def _read_csv(path: Path, account: Account) -> Rows:
    return read_csv_rows(path, layout_of(heads_of(path, ","), path), account)
