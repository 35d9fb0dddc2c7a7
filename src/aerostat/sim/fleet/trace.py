"""Traces of demand: many VMs' use of memory over time, and hosts drawn from them at random."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerostat.sim.fleet.world import FleetWorld, Sizes
from aerostat.units import GIB, MIB

MAX_BYTES_LEAST = GIB
MAX_BYTES_MOST = 64 * GIB
"""VMs of other sizes are left out: a host of 16 would be about one of them."""


class TraceError(Exception):
    """A file that is no trace; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Memory used by VMs, sampled at equal distances."""

    name: str
    max_bytes: Sizes  # [vm]
    used_bytes: Sizes  # [vm, sample]; at most max
    sample_s: float = 300.0

    @property
    def vms(self) -> int:
        """How many there are."""
        return len(self.max_bytes)


def read_trace(path: Path) -> Trace:
    """Read an ``.npz`` file with ``used`` and ``cap`` in MiB, [VMs x samples of 300 s].

    Kept are VMs that are there all the time (capacity never 0) and of 1 to 64 GiB. A VM's max is
    its greatest capacity; use above it is cut off.

    Raises:
        TraceError: the file cannot be read, or no VM of it can be used.
    """
    try:
        with np.load(path) as arrays:
            used, capacity = arrays["used"], arrays["cap"]
    except (OSError, ValueError, KeyError) as error:
        raise TraceError(f"{path} is not a trace with arrays 'used' and 'cap': {error}") from error
    if used.ndim != 2 or used.shape != capacity.shape or used.size == 0:
        raise TraceError(
            f"{path}: 'used' is {used.shape} and 'cap' is {capacity.shape}; both must be "
            "[VMs x samples], and not empty"
        )
    maxima = capacity.max(axis=1).astype(np.int64) * MIB
    kept = (capacity > 0).all(axis=1) & (maxima >= MAX_BYTES_LEAST) & (maxima <= MAX_BYTES_MOST)
    if not kept.any():
        raise TraceError(f"{path}: no VM of 1 to 64 GiB is there all the time")
    sizes = used[kept].astype(np.int64) * MIB
    return Trace(
        name=path.stem,
        max_bytes=maxima[kept],
        used_bytes=np.minimum(sizes, maxima[kept][:, np.newaxis]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Which VMs of a trace stand together on hosts, and for how long.

    Attributes:
        seed: of the draw; the same seed, the same hosts.
        hosts: so many, or as many as the trace's VMs fill.
        guests_a_host: VMs on each of them.
        samples: which part of the trace, first and one after the last; all of it if ``None``.
    """

    seed: int
    hosts: int
    guests_a_host: int
    samples: tuple[int, int] | None = None


def drawn_world(
    trace: Trace, draw: Draw, *, overcommit_ratio: float, tick_s: float = 10.0
) -> FleetWorld:
    """Put VMs drawn at random on hosts, each at most once.

    Args:
        trace: where they are drawn from.
        draw: which.
        overcommit_ratio: sum of max over what a host has for guests.
        tick_s: how often policies are asked and balloons move.

    Raises:
        TraceError: the trace has fewer VMs than one host takes.
    """
    order = list(range(trace.vms))
    random.Random(draw.seed).shuffle(order)
    count = min(draw.hosts, trace.vms // draw.guests_a_host) * draw.guests_a_host
    if count == 0:
        raise TraceError(f"{trace.name} has {trace.vms} usable VMs, not {draw.guests_a_host}")
    chosen: npt.NDArray[np.intp] = np.array(order[:count])
    first, end = draw.samples or (0, trace.used_bytes.shape[1])
    return FleetWorld(
        max_bytes=trace.max_bytes[chosen],
        demand_bytes=np.ascontiguousarray(trace.used_bytes[chosen, first:end].T),
        guests_a_host=draw.guests_a_host,
        overcommit_ratio=overcommit_ratio,
        sample_s=trace.sample_s,
        tick_s=tick_s,
    )
