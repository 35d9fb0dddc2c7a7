"""The tick loops, interpreted or compiled: one source, bound to the rule that decides."""

import sys
from collections.abc import Callable
from functools import cache
from types import FunctionType

from aerostat.policy import active, baseline, price, water
from aerostat.policy import columns as policy_columns
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.sim.compiled import ENGINE_BESIDE, ENGINE_MODULES, compile_modules
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


@cache
def engine_loop(*, is_compiled: bool) -> Callable[..., None]:
    """``engine_ticks.run_ticks``; compiled, the first call of it takes a while."""
    if not is_compiled:
        return engine_ticks.run_ticks
    compiled = compile_modules(
        (*ENGINE_MODULES, balloon, score, physics, accept, engine_ticks),
        beside=(*ENGINE_BESIDE, columns, constants),
    )
    loop: Callable[..., None] = compiled[engine_ticks.run_ticks]
    return loop


@cache
def baseline_loop(name: PolicyName, *, is_compiled: bool) -> Callable[..., None]:
    """``baseline_ticks.run_ticks`` with this rule for its ``decide``."""
    decide = BASELINES[name].decide
    if not is_compiled:
        code = baseline_ticks.run_ticks.__code__
        return FunctionType(code, {**vars(baseline_ticks), "decide": decide})
    compiled = compile_modules(
        (
            water,
            baseline,
            price,
            active,
            sys.modules[decide.__module__],
            balloon,
            score,
            physics,
            baseline_ticks,
        ),
        beside=(policy_columns, columns, constants),
        bound={"decide": decide},
        makes_lists=True,
    )
    loop: Callable[..., None] = compiled[baseline_ticks.run_ticks]
    return loop
