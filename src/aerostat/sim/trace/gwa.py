"""The layout of the Grid Workloads Archive's Bitbrains traces: a folder, a semicolon CSV a VM.

Its time column says milliseconds and holds seconds; its KB are KiB (capacities come out whole).
"""

from pathlib import Path

import numpy as np

from aerostat.sim.trace.rows import Account, Rows
from aerostat.sim.trace.table import Layout, heads_of, read_csv_rows
from aerostat.sim.trace.trace import TraceError
from aerostat.units import KIB

TIME = "Timestamp [ms]"
CAPACITY = "Memory capacity provisioned [KB]"
USED = "Memory usage [KB]"
_LAYOUT = Layout(
    vm=None, time=TIME, is_dated=False, used=USED, used_unit=KIB, maximum=CAPACITY, max_unit=KIB
)


def is_gwa(path: Path) -> bool:
    """Whether the file has the columns of this layout."""
    heads = heads_of(path, ";")
    return all(heads.count(name) == 1 for name in (TIME, CAPACITY, USED))


def read_gwa_folder(folder: Path, account: Account) -> Rows:
    """Read all files of a folder, each VM named after its file.

    Raises:
        TraceError: there is none, or one cannot be read.
    """
    files = sorted(folder.glob("*.csv"), key=lambda path: (len(path.stem), path.stem))
    if not files:
        raise TraceError(f"{folder}: there are no .csv files in it")
    for path in files:
        if not is_gwa(path):
            raise TraceError(
                f"{path}:1: a folder is read as one semicolon CSV a VM with columns '{TIME}', "
                f"'{CAPACITY}' and '{USED}' (docs/traces.md); this file has others"
            )
    parts = [read_gwa_rows(path, account) for path in files]
    return Rows(
        vm=np.concatenate([part.vm + number for number, part in enumerate(parts)]),
        time_s=np.concatenate([part.time_s for part in parts]),
        used_bytes=np.concatenate([part.used_bytes for part in parts]),
        max_bytes=np.concatenate([part.max_bytes for part in parts]),
        names=tuple(path.stem for path in files),
    )


def read_gwa_rows(path: Path, account: Account) -> Rows:
    """Read one file.

    Raises:
        TraceError: it cannot be read, or is read strictly and has a malformed row.
    """
    return read_csv_rows(path, _LAYOUT, account, delimiter=";", vm_name=path.stem)
