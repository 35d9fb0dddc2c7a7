"""Reads what VMs used: a trace, or a recording of a daemon."""

from pathlib import Path

from aerostat.sim.trace import Trace, read_trace
from aerostat.sim.trace.trace import Reading
from aerostat.store.recording import is_recording
from aerostat.units import MIB

RECORDING_SAMPLE_S = 10.0
"""A daemon looks several times a second; the greatest use of so many seconds counts."""


def read(path: Path, *, host_bytes: int, is_strict: bool = False) -> Trace:
    """Read it; VMs of any size up to a host's.

    Args:
        path: the file or folder.
        host_bytes: RAM of the hosts that are asked about.
        is_strict: refuse malformed rows, in place of counting and skipping them.

    Raises:
        TraceError: it cannot be read, or no VM of it can be used.
    """
    reading = Reading(
        is_strict=is_strict,
        sample_s=RECORDING_SAMPLE_S if _is_ours(path) else None,
        smallest_bytes=MIB,
        largest_bytes=host_bytes,
    )
    return read_trace(path, reading)


def _is_ours(path: Path) -> bool:
    return path.suffix == ".parquet" and path.is_file() and is_recording(path)
