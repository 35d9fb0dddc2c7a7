"""What each kind of decider works on besides the fleet: columns laid out once, before the run."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from aerostat.engine import codes
from aerostat.engine.columns import (
    RUN_RUNNING,
    TAKES_ALL,
    Estimates,
    Figures,
    Hosts,
    Memory,
    Round,
    empty_memory,
    new_round,
)
from aerostat.engine.knobs import knobs_of
from aerostat.engine.params import EngineParams, GuardParams, HostParams
from aerostat.model.limits import Amount, GuestLimits
from aerostat.policy.baseline import GuestsView
from aerostat.policy.columns import ABSENT
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.sim.compiled import Fixed
from aerostat.sim.fleet.baseline_ticks import Asked
from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.constants import FIGURES_AGE_TICKS_MAX, MIN_RATIO, START_S

_NOTHING = Amount(size_bytes=0)


def shipped_params(tick_s: float) -> EngineParams:
    """``adaptive`` as the product ships it, except for how old figures may be: see there."""
    shipped = GuardParams()
    age_s = max(shipped.figures_age_max_s, FIGURES_AGE_TICKS_MAX * tick_s)
    return EngineParams(
        guard=replace(shipped, figures_age_max_s=age_s),
        default_limits=GuestLimits(minimum=Amount(max_ratio=MIN_RATIO)),
    )


def static_params() -> EngineParams:
    """The even split, held under its own rule alone."""
    return EngineParams(
        policy=PolicyName.STATIC,
        host=HostParams(burst_reserve=_NOTHING),
        default_limits=GuestLimits(minimum=Amount(max_ratio=MIN_RATIO)),
        is_guarded=False,
    )


def round_of(fleet: Fleet, params: EngineParams) -> Round:
    """A round over the fleet, with nothing remembered and all guests just appeared."""
    guests, hosts = fleet.guests, fleet.hosts
    count = len(guests.actual_bytes)
    memory = empty_memory(count)
    memory.since_s[:] = [START_S] * count
    is_static = params.policy is PolicyName.STATIC
    return new_round(
        now_s=START_S,
        policy=codes.POLICY_STATIC if is_static else codes.POLICY_ADAPTIVE,
        knobs=knobs_of(params),
        hosts=Hosts(
            first=list(hosts.first),
            end=list(hosts.end),
            supply_bytes=list(hosts.supply_bytes),
            physical_bytes=[ABSENT] * len(hosts.first),
            burst_least_bytes=[
                min(params.host.burst_reserve_min.of(size), params.host.burst_reserve.of(size))
                for size in hosts.supply_bytes
            ],
            burst_most_bytes=[params.host.burst_reserve.of(size) for size in hosts.supply_bytes],
            burst_bytes=[0] * len(hosts.first),
            kept_back_bytes=[0] * len(hosts.first),
            reserved_bytes=[0] * len(hosts.first),
        ),
        figures=_figures(fleet),
        memory=memory,
    )


_SHOWN = (
    "actual_bytes",
    "held_bytes",
    "sample_wall_s",
    "available_bytes",
    "free_bytes",
    "swap_in_bytes",
    "swap_out_bytes",
)
"""Figures that every tick shows anew."""
_OWN = ("sample_age_s", "min_bytes", "max_bytes", "weight")
"""Those that stay, but are each fleet's or each guest's own."""

_SAME: Mapping[str, int | float] = MappingProxyType(
    {
        name: float(ABSENT) if name.endswith("_s") else ABSENT
        for name in Figures._fields
        if name not in (*_SHOWN, *_OWN)
    }
    | {
        "run": RUN_RUNNING,
        "has_balloon": 1,
        "is_managed": 1,
        "takes": TAKES_ALL,
        "standing": 0,
        "has_sample": 1,
        "held_age_s": 0.0,
    }
)
"""All others, the same for all guests of all fleets: balloon statistics are all there is. Pressure
and refaults take an agent, and hosts have no swap, limits or backups that the engine would see."""

FIXED_COLUMNS: Fixed = MappingProxyType(
    {
        Figures: frozenset(_SAME),
        Memory: frozenset(
            {
                *("alloc_stall_rate", "alloc_stalls", "cache_bytes", "cache_floor_bytes"),
                *("disk_read_bytes", "disk_read_rate", "host_swap_bytes", "host_swap_in_bytes"),
                *("host_swap_in_rate", "host_swap_out_bytes", "host_waited_s"),
                *("host_waiting_ratio", "is_outcome_unknown", "is_release_due", "lent_bytes"),
                *("lent_from_bytes", "limit_fits_bytes", "limit_hits", "limited_s"),
                *("major_fault_rate", "major_faults", "oom_kill_rate", "oom_kills"),
                *("pressure_full_ratio", "pressure_full_s", "pressure_some_ratio"),
                *("pressure_some_s", "pressure_wall_s", "pushed_free_bytes", "pushed_held_bytes"),
                *("pushed_is_full", "pushed_s", "refault_rate", "refaults", "shutdown_asked_s"),
                *("stranger_s", "take_missed_rate", "missed_rate", "cache_worth_bytes"),
                *("offer_from_bytes", "offer_missed_rate", "offer_s", "offer_wait_s"),
            }
        ),
        Estimates: frozenset({"is_confined", "is_in_host_swap", "loan_bytes", "unsure_bytes"}),
    }
)
"""What therefore never changes in a fleet's round; a test lets fleets live and holds it to that."""


def _figures(fleet: Fleet) -> Figures:
    count = len(fleet.guests.actual_bytes)
    columns: dict[str, Any] = {
        name: [float(ABSENT) if name.endswith("_s") else ABSENT] * count for name in _SHOWN
    }
    columns |= {name: [number] * count for name, number in _SAME.items()}
    columns |= {
        "sample_age_s": [fleet.tick_s] * count,
        "min_bytes": list(fleet.guests.min_bytes),
        "max_bytes": list(fleet.guests.max_bytes),
        "weight": list(fleet.guests.weight),
    }
    return Figures(**columns)


def view_of(fleet: Fleet) -> GuestsView:
    """Columns for what a baseline is shown; those that change are written at every tick."""
    count = len(fleet.guests.actual_bytes)
    columns: dict[str, Any] = {
        name: [0.0 if name in _FLOATS else 0] * count for name in GuestsView._fields
    }
    columns |= {
        "min_bytes": list(fleet.guests.min_bytes),
        "max_bytes": list(fleet.guests.max_bytes),
        "weight": list(fleet.guests.weight),
        "active_ratio": [float(ABSENT)] * count,
        "is_movable": [1] * count,
        "is_new_sample": [1] * count,
        "sample_age_s": [fleet.tick_s] * count,
        "since_s": [START_S] * count,
    }
    return GuestsView(**columns)


_FLOATS = frozenset(
    {"swap_in_rate", "swap_out_rate", "pressure_some_s", "active_ratio", "sample_age_s", "since_s"}
)


def asked_of(fleet: Fleet) -> Asked:
    """A rule that has not been asked yet, and is due at the first tick."""
    count = len(fleet.guests.actual_bytes)
    return Asked(
        target_bytes=list(fleet.guests.target_bytes),
        swap_in_bytes=[0] * count,
        swap_out_bytes=[0] * count,
        asked_s=[-START_S] * count,
    )


def memory_of(name: PolicyName, count: int, *, is_compiled: bool) -> Any:
    """What a rule remembers, of guests nobody has seen yet.

    Not an array of records like everything else: a rule may number its columns.
    """
    memory = BASELINES[name].new_memory(count)
    if not is_compiled:
        return memory
    return type(memory)(*(np.array(column) for column in memory))
