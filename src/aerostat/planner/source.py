"""Reads what VMs used: a trace, or a recording of a daemon."""

from pathlib import Path

from aerostat.planner.parts import training_samples
from aerostat.sim.trace import Trace, read_trace
from aerostat.sim.trace.trace import Reading
from aerostat.units import MIB


def read(path: Path, *, host_bytes: int, is_strict: bool = False) -> Trace:
    """Read it; VMs of any size up to a host's, chosen by what they did in the training part.

    Args:
        path: the file or folder.
        host_bytes: RAM of the hosts that are asked about.
        is_strict: refuse malformed rows, in place of counting and skipping them.

    Raises:
        TraceError: it cannot be read, or no VM of it can be used.
    """
    reading = Reading(
        is_strict=is_strict,
        smallest_bytes=MIB,
        largest_bytes=host_bytes,
        known_samples=training_samples,
    )
    return read_trace(path, reading)
