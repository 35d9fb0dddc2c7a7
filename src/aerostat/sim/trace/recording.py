"""Our own recordings as traces: what each guest used, by what the daemon believed of it.

A recording (docs/recordings.md) has a row for each guest in each round; rounds in which a guest
gave no figures say nothing of its demand. A guest at its limit may have wanted more than it shows.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from aerostat.sim.trace.arrow import arrow
from aerostat.sim.trace.rows import Account, Rows, good_rows
from aerostat.sim.trace.table import Layout, raw_columns
from aerostat.sim.trace.trace import TraceError

_LAYOUT = Layout(
    vm="guest",
    time="wall_s",
    is_dated=False,
    used="decided_used_bytes",
    used_unit=1,
    maximum="max_bytes",
    max_unit=1,
)


def is_recording(columns: Collection[str]) -> bool:
    """Whether a Parquet file with these columns is a recording."""
    return {*_LAYOUT.columns, "round", "was_enforced"} <= set(columns)


def read_recording_rows(path: Path, account: Account) -> Rows:
    """Read the rounds in which guests told what they use.

    Raises:
        TraceError: it cannot be read.
    """
    pa = arrow(f"{path.name} (Parquet)")
    try:
        table: Any = pa.parquet.read_table(path, columns=_LAYOUT.columns)
    except (OSError, pa.ArrowException) as error:
        raise TraceError(f"{path}: it cannot be read as Parquet: {error}") from error
    lines = np.arange(1, table.num_rows + 1, dtype=np.int64)
    told = pa.compute.is_valid(table.column(_LAYOUT.used))
    told = pa.compute.and_(told, pa.compute.is_valid(table.column(_LAYOUT.maximum)))
    lines = lines[told.to_numpy()]
    raw, names = raw_columns(pa, path, table.filter(told), _LAYOUT, lines)
    return good_rows(raw, names, path, account, word="row")
