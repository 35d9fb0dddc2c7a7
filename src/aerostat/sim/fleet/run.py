"""One arm: a policy on a world, from its first tick to its last."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aerostat.engine.params import EngineParams
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.sim.compiled import as_arrays
from aerostat.sim.fleet.boards import (
    FIXED_COLUMNS,
    asked_of,
    memory_of,
    round_of,
    shipped_params,
    static_params,
    view_of,
)
from aerostat.sim.fleet.columns import Fleet, Guests, HostRows
from aerostat.sim.fleet.full.columns import Insides, Under
from aerostat.sim.fleet.ticks import baseline_loop, engine_loop
from aerostat.sim.fleet.world import FleetWorld, fleet_of

ENGINE_POLICIES = (PolicyName.ADAPTIVE, PolicyName.STATIC)
"""These the engine decides, for many hosts in one call; all others are baselines."""

BLOCK_GUESTS = 512
"""Hosts with so many guests live through a spell before the next ones do: a core's cache holds
their columns, and not those of 40,000. Hosts know nothing of each other, so results stay."""

Span = tuple[int, int]
"""The first tick and the one after the last."""

Scores = npt.NDArray[np.float64]
_Run = tuple[Fleet, Callable[[Span], None]]


class Watch(Protocol):
    """Looks at a fleet after every so many ticks."""

    spell_ticks: int

    def look(self, elapsed_s: float, parts: Sequence[Fleet]) -> None:
        """See the fleet as it is so long after its beginning; nothing may be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run left behind: the fleet at its end, in parts of some hosts each, and its pace."""

    parts: tuple[Fleet, ...]
    guest_ticks: int
    cpu_s: float  # of its loops: without compiling, and without laying out the columns

    @property
    def digest(self) -> str:
        """Stands for all that the run came to: equal digests, equal runs."""
        digest = hashlib.sha256()
        for name in Guests._fields:
            for part in self.parts:
                digest.update(np.asarray(getattr(part.guests, name)).tobytes())
        for name in HostRows._fields[2:]:  # where a host's guests are depends on the parts
            for part in self.parts:
                digest.update(np.asarray(getattr(part.hosts, name)).tobytes())
        for name in Insides._fields:
            for part in self.parts:
                digest.update(np.asarray(getattr(part.deep.insides, name)).tobytes())
        for name in Under._fields:
            for part in self.parts:
                digest.update(np.asarray(getattr(part.deep.under, name)).tobytes())
        return digest.hexdigest()[:16]


def run_policy(
    world: FleetWorld,
    policy: PolicyName,
    *,
    params: EngineParams | None = None,
    is_compiled: bool = True,
    watch: "Watch | None" = None,
) -> Outcome:
    """Run a policy on a world; the same inputs give the same outcome, compiled or not.

    Args:
        world: hosts and what their guests will want.
        policy: any of them.
        params: of the engine, in place of what the product ships; baselines have none.
        is_compiled: whether the loops are compiled; interpreted, they are hundreds of times slower.
        watch: looks at the fleet from time to time; the run is the same with or without it.
    """
    runs = _runs(world, policy, params, is_compiled=is_compiled)
    fleets = tuple(fleet for fleet, _ in runs)
    spell_ticks = world.ticks if watch is None else watch.spell_ticks
    cpu_s = 0.0
    for first in range(0, world.ticks, spell_ticks):
        end = min(world.ticks, first + spell_ticks)
        began_s = time.thread_time()
        for _, run in runs:
            run((first, end))
        cpu_s += time.thread_time() - began_s
        if watch is not None:
            watch.look(end * world.tick_s, fleets)
    return Outcome(
        parts=fleets,
        guest_ticks=world.ticks * len(world.max_bytes),
        cpu_s=cpu_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """What some ticks in a row cost: by guest, and by host, in the world's order."""

    short_byte_s: Scores  # [guest]
    wanted_byte_s: Scores
    distressed_s: Scores
    churn_bytes: Scores
    held_bytes: Scores  # at the end of it
    below_reserve_s: Scores  # [host]
    over_byte_s: Scores


def run_spells(
    world: FleetWorld,
    policy: PolicyName,
    *,
    spell_ticks: int,
    params: EngineParams | None = None,
    is_compiled: bool = True,
) -> Iterator[Spell]:
    """Run a policy on a world and say of every so many ticks what they cost."""
    runs = _runs(world, policy, params, is_compiled=is_compiled)
    before = _scores(runs)
    for first in range(0, world.ticks, spell_ticks):
        for _, run in runs:
            run((first, min(world.ticks, first + spell_ticks)))
        now = _scores(runs)
        held = _held([fleet for fleet, _ in runs])
        yield Spell(held_bytes=held, **{name: now[name] - before[name] for name in now})
        before = now


def _scores(runs: Sequence[_Run]) -> dict[str, Scores]:
    scores: dict[str, Scores] = {}
    for field in (one for one in fields(Spell) if one.name != "held_bytes"):
        is_of_host = field.name in HostRows._fields
        parts = [fleet.hosts if is_of_host else fleet.guests for fleet, _ in runs]
        columns = [np.array(getattr(part, field.name), dtype=np.float64) for part in parts]
        scores[field.name] = np.concatenate(columns)
    return scores


def _held(parts: Sequence[Fleet]) -> Scores:
    return np.concatenate([np.array(part.guests.actual_bytes, dtype=np.float64) for part in parts])


def _runs(
    world: FleetWorld, policy: PolicyName, params: EngineParams | None, *, is_compiled: bool
) -> list[_Run]:
    if policy in ENGINE_POLICIES:
        shipped = static_params() if policy is PolicyName.STATIC else shipped_params(world.tick_s)
        hosts = max(1, BLOCK_GUESTS // world.guests_a_host)
        runs = [
            _engine_run(
                world.some_hosts(first, min(world.hosts, first + hosts)),
                params or shipped,
                is_compiled=is_compiled,
            )
            for first in range(0, world.hosts, hosts)
        ]
    else:
        runs = [
            _baseline_run(world.host(number), policy, is_compiled=is_compiled)
            for number in range(world.hosts)
        ]
    for _, run in runs:
        run((0, 0))  # compiles, and changes nothing
    return runs


def _engine_run(world: FleetWorld, params: EngineParams, *, is_compiled: bool) -> _Run:
    fleet = fleet_of(world)
    r = round_of(fleet, params)
    fleet = _laid_out(fleet, is_compiled=is_compiled)
    if is_compiled:
        r = as_arrays(r, fixed=FIXED_COLUMNS)
    loop = engine_loop(is_compiled=is_compiled, is_full=world.full is not None)
    return fleet, lambda span: loop(fleet, r, span)


def _baseline_run(world: FleetWorld, policy: PolicyName, *, is_compiled: bool) -> _Run:
    fleet = fleet_of(world)
    view, asked = view_of(fleet), asked_of(fleet)
    memory = memory_of(policy, len(world.max_bytes), is_compiled=is_compiled)
    fleet = _laid_out(fleet, is_compiled=is_compiled)
    if is_compiled:
        view, asked = as_arrays(view), as_arrays(asked)
    loop = baseline_loop(policy, is_compiled=is_compiled, is_full=world.full is not None)
    period_s = BASELINES[policy].period_s
    return fleet, lambda span: loop(fleet, view, memory, asked, period_s, span)


def _laid_out(fleet: Fleet, *, is_compiled: bool) -> Fleet:
    """Arrays for the compiled loops, lists of Python's own numbers for the interpreted ones."""
    if is_compiled:
        return as_arrays(fleet)
    return fleet._replace(demand_bytes=np.asarray(fleet.demand_bytes).tolist())
