"""The tick loops, interpreted or compiled: one source, bound to rule and physics."""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from aerostat.policy import active, baseline, price, water
from aerostat.policy import columns as policy_columns
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.sim import ages, compression
from aerostat.sim.compiled import ENGINE_BESIDE, ENGINE_MODULES, compiled
from aerostat.sim.fleet import (
    accept,
    balloon,
    baseline_ticks,
    columns,
    constants,
    engine_ticks,
    physics,
    score,
)
from aerostat.sim.fleet.full import columns as full_columns
from aerostat.sim.fleet.full import constants as full_constants
from aerostat.sim.fleet.full import guest, tick
from aerostat.sim.fleet.full import host as full_host
from aerostat.sim.fleet.full import score as full_score

_FULL = (ages, compression, guest, full_host, full_score, tick)
"""Full physics, each after what it uses."""


@cache
def engine_loop(*, is_compiled: bool, is_full: bool = False) -> Callable[..., None]:
    """``engine_ticks.run_ticks``; compiled, the first call of it takes a while."""
    bound: dict[str, Callable[..., Any]] = {}
    if is_full:
        bound = {
            "end_tick": tick.end_tick,
            "show_figures": tick.show_figures,
            "show_hosts": tick.show_hosts,
        }
    if not is_compiled:
        return _bound(engine_ticks.run_ticks, engine_ticks, bound)
    modules = (*ENGINE_MODULES, balloon, score, physics, accept)
    return compiled(
        engine_ticks.run_ticks,
        (*modules, *(_FULL if is_full else ()), engine_ticks),
        beside=(*ENGINE_BESIDE, columns, constants, full_columns, full_constants),
        bound=bound,
    )


@cache
def baseline_loop(
    name: PolicyName, *, is_compiled: bool, is_full: bool = False
) -> Callable[..., None]:
    """``baseline_ticks.run_ticks`` with this rule for its ``decide``."""
    decide = BASELINES[name].decide
    bound: dict[str, Callable[..., Any]] = {"decide": decide}
    if is_full:
        bound |= {"end_tick": tick.end_tick, "show_host": tick.show_host}
    if not is_compiled:
        return _bound(baseline_ticks.run_ticks, baseline_ticks, bound)
    rules = (water, baseline, price, active, sys.modules[decide.__module__])
    return compiled(
        baseline_ticks.run_ticks,
        (*rules, balloon, score, physics, *(_FULL if is_full else ()), baseline_ticks),
        beside=(policy_columns, columns, constants, full_columns, full_constants),
        bound=bound,
    )


def _bound(
    loop: Callable[..., None], module: ModuleType, bound: Mapping[str, Callable[..., Any]]
) -> Callable[..., None]:
    """The loop as it stands, with some names of its module standing for something else."""
    return FunctionType(loop.__code__, {**vars(module), **bound})
