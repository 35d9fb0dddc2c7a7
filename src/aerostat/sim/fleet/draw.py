"""Hosts drawn at random from a trace."""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.kinds import FleetRecipe
from aerostat.sim.fleet.world import FleetWorld
from aerostat.sim.trace import Trace, TraceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Which VMs of a trace stand together on hosts, and for how long.

    Attributes:
        seed: of the draw; the same seed, the same hosts.
        hosts: so many at most; ``None``: as many as the trace's VMs fill.
        guests_a_host: VMs on each of them.
        samples: which part of the trace, first and one after the last; all of it if ``None``.
    """

    seed: int
    hosts: int | None
    guests_a_host: int
    samples: tuple[int, int] | None = None


Source = Trace | FleetRecipe
"""Where VMs come from: what was read, or what can be drawn again by whoever needs a part of it."""


def drawn_vms(trace: Source, draw: Draw) -> npt.NDArray[np.intp]:
    """The VMs of the hosts in their order, each at most once.

    Raises:
        TraceError: the trace has fewer VMs than one host takes.
    """
    order = list(range(trace.vms))
    random.Random(draw.seed).shuffle(order)
    hosts = trace.vms // draw.guests_a_host
    count = (hosts if draw.hosts is None else min(draw.hosts, hosts)) * draw.guests_a_host
    if count == 0:
        raise TraceError(
            f"{trace.name} has {trace.vms} usable VMs, not the {draw.guests_a_host} of one host"
        )
    return np.array(order[:count])


def drawn_world(
    trace: Source,
    draw: Draw,
    *,
    overcommit_ratio: float,
    tick_s: float = 10.0,
    full: FullPhysics | None = None,
    hosts: tuple[int, int] | None = None,
) -> FleetWorld:
    """Put VMs drawn at random on hosts, each at most once.

    Args:
        trace: where they are drawn from.
        draw: which.
        overcommit_ratio: sum of max over what a host has for guests.
        tick_s: how often policies are asked and balloons move; a whole part of a sample.
        full: what guests and hosts are made of; without it physics are simplified.
        hosts: of these, the first and the one after the last; all if not said.

    Raises:
        TraceError: the trace has fewer VMs than one host takes.
    """
    chosen = drawn_vms(trace, draw)
    if hosts is not None:
        chosen = chosen[hosts[0] * draw.guests_a_host : hosts[1] * draw.guests_a_host]
    sizes, demand = trace.part(chosen, draw.samples or (0, trace.samples))
    return FleetWorld(
        max_bytes=sizes,
        demand_bytes=demand,
        guests_a_host=draw.guests_a_host,
        overcommit_ratio=overcommit_ratio,
        sample_s=trace.sample_s,
        tick_s=tick_s,
        full=full,
    )
