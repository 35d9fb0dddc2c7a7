"""Small fleets for tests, with defaults: say only what a test is about. Sizes in GiB."""

import numpy as np

from aerostat.sim.fleet.world import FleetWorld
from aerostat.units import GIB


def world(
    demand_gib: list[list[float]],
    *,
    max_gib: list[float] | None = None,
    guests_a_host: int | None = None,
    overcommit: float = 2.0,
    sample_s: float = 300.0,
    tick_s: float = 10.0,
) -> FleetWorld:
    """A row of demand for every sample, a column for every guest."""
    demand = np.array(demand_gib)
    count = demand.shape[1]
    sizes = np.array([8.0] * count if max_gib is None else max_gib)
    return FleetWorld(
        max_bytes=(sizes * GIB).astype(np.int64),
        demand_bytes=(demand * GIB).astype(np.int64),
        guests_a_host=count if guests_a_host is None else guests_a_host,
        overcommit_ratio=overcommit,
        sample_s=sample_s,
        tick_s=tick_s,
    )
