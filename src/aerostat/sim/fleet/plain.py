"""The plain world of a trace, and its run: see ``plain_ticks``."""

from collections.abc import Callable
from functools import cache

import numpy as np

from aerostat.policy import columns as policy_columns
from aerostat.sim.compiled import compiled
from aerostat.sim.fleet import plain_ticks
from aerostat.sim.fleet.constants import DEFLATE_RATE, INFLATE_RATE, MIN_RATIO
from aerostat.sim.fleet.plain_ticks import PlainWorld
from aerostat.sim.fleet.world import FleetWorld
from aerostat.units import MIB


def plain_world(world: FleetWorld) -> PlainWorld:
    """Sizes, speeds and demand of a fleet in whole MiB; every guest holds its min at first."""
    maxima = world.max_bytes // MIB
    minima = np.maximum(1, (MIN_RATIO * maxima).astype(np.int64))
    of_host = maxima.reshape(world.hosts, world.guests_a_host).sum(axis=1)
    count = len(maxima)
    return PlainWorld(
        guests_a_host=world.guests_a_host,
        ticks_per_sample=world.ticks_per_sample,
        take_mib=int(INFLATE_RATE * world.tick_s) // MIB,
        give_mib=int(DEFLATE_RATE * world.tick_s) // MIB,
        supply_mib=(of_host / world.overcommit_ratio).astype(np.int64),
        min_mib=minima,  # type: ignore[arg-type] # arrays are columns
        max_mib=maxima,  # type: ignore[arg-type]
        demand_mib=np.ascontiguousarray(world.demand_bytes // MIB),  # type: ignore[arg-type]
        actual_mib=minima.copy(),  # type: ignore[arg-type]
        lacked_mib=np.zeros(count, dtype=np.int64),  # type: ignore[arg-type]
        moves_mib=np.zeros(count, dtype=np.int64),  # type: ignore[arg-type]
    )


@cache
def plain_loop() -> Callable[[PlainWorld], None]:
    """``plain_ticks.run_ticks``, compiled; the first call of it takes a while."""
    return compiled(plain_ticks.run_ticks, (plain_ticks,), beside=(policy_columns,))
