"""The tick loop, interpreted or compiled: one source."""

from collections.abc import Callable
from functools import cache

from aerostat.engine import resident
from aerostat.engine.columns import Round
from aerostat.sim.chaos import answer, check, columns, physics, rules, show, ticks
from aerostat.sim.chaos.columns import World
from aerostat.sim.compiled import ENGINE_BESIDE, ENGINE_MODULES, compiled

TickLoop = Callable[[World, Round, int, int], None]


@cache
def compiled_loop() -> TickLoop:
    """``ticks.run_ticks``, compiled; the first call of it takes a while."""
    return compiled(
        ticks.run_ticks,
        (*ENGINE_MODULES, resident, physics, show, answer, check, ticks),
        beside=(*ENGINE_BESIDE, columns, rules),
    )
