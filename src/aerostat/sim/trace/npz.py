"""Traces as arrays: an ``.npz`` file with ``used`` and ``cap`` in MiB, [VMs x samples]."""

from pathlib import Path
from typing import Any

import numpy as np

from aerostat.sim.trace.grid import Grid, trace_of_grid
from aerostat.sim.trace.trace import Reading, Trace, TraceError
from aerostat.units import MIB

SAMPLE_S = 300.0


def _arrays(path: Path) -> tuple[Any, Any, float]:
    what = "the file"
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            what = "'used'"
            used = arrays["used"]
            what = "'cap'"
            capacity = arrays["cap"]
            what = "'sample_s'"
            sample_s = float(arrays["sample_s"]) if "sample_s" in arrays else SAMPLE_S
    except Exception as error:
        # A file that is cut short or corrupt makes the archive, its unpacking and numpy's reading
        # of heads raise a dozen kinds of error (down to those of a tokenizer); all mean the same.
        raise TraceError(
            f"{path} is not a trace with arrays 'used' and 'cap': {what} cannot be read: "
            f"{str(error) or type(error).__name__}"
        ) from error
    return used, capacity, sample_s


def read_npz(path: Path, reading: Reading) -> Trace:
    """Read arrays; ``cap`` 0 means that the VM is not there, ``sample_s`` is 300 if not given.

    Raises:
        TraceError: the file cannot be read, or no VM of it can be used.
    """
    used, capacity, sample_s = _arrays(path)
    if used.ndim != 2 or used.shape != capacity.shape or used.size == 0:
        raise TraceError(
            f"{path}: 'used' is {used.shape} and 'cap' is {capacity.shape}; both must be "
            "[VMs x samples], and not empty"
        )
    if not all(np.issubdtype(array.dtype, np.integer) for array in (used, capacity)):
        raise TraceError(f"{path}: 'used' and 'cap' must be whole numbers of MiB")
    least = min(int(used.min()), int(capacity.min()))
    if least < 0 or max(int(used.max()), int(capacity.max())) > 64 * MIB:
        raise TraceError(f"{path}: 'used' and 'cap' must be between 0 and 64 TiB, in MiB")
    if not 0 < sample_s <= 86_400:
        raise TraceError(f"{path}: 'sample_s' is {sample_s:g}; it must be above 0, up to a day")
    if reading.sample_s not in (None, sample_s):
        raise TraceError(
            f"{path}: arrays are taken as they come, a sample in {sample_s:g} s: leave --sample out"
        )
    grid = Grid(
        used_bytes=used.astype(np.int64) * MIB,
        max_bytes=capacity.astype(np.int64) * MIB,
        sample_s=sample_s,
        names=tuple(f"vm-{number:04d}" for number in range(len(used))),
    )
    return trace_of_grid(grid, path.stem, path, reading, ())
