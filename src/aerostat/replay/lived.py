"""Closed loop: the recording's demand as a world of the simulator, lived through under a policy.

Here guests feel what is decided. But what they wanted is known only as far as it could be seen, the
host is one of a fixed size, and a guest's swap, balloon and patience are those of the simulator.
"""

from dataclasses import dataclass, replace
from typing import Any

from aerostat.engine.figures import resolve_limits
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.resolved import ResolvedLimits
from aerostat.policy.params import PolicyName
from aerostat.replay.alternatives import Alternative, AlternativeError
from aerostat.replay.demand import Demand, GuestDemand
from aerostat.store.recording.parquet import MissingLibraryError

TICK_S = 1.0
SECONDS_MIN = 20
COMPILED_GUEST_TICKS = 1_500_000
"""Below that the interpreter is done before a compiler would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivedWorld:
    """The world all alternatives are put into."""

    demand: Demand
    guests: tuple[GuestId, ...]
    supply_bytes: int
    samples: int  # a second each

    @property
    def demand_ratio(self) -> float:
        """The most the guests together wanted, over what they could have."""
        return self._peak_bytes() / self.supply_bytes

    def _peak_bytes(self) -> int:
        return int(sum(self.columns()).max())

    def columns(self) -> list[Any]:
        """What each guest wanted, a second after the other."""
        first_s = self.demand.first_wall_s
        known = (self.demand.guests[guest] for guest in self.guests)
        return [guest.each_second(first_s, self.samples) for guest in known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What became of the guests under one alternative."""

    alternative: Alternative | None  # None: what was in force
    policy: PolicyName
    unmet_ratio: float
    worst_unmet_ratio: float
    distressed_s: float  # of all guests together
    below_reserve_s: float
    churn_bytes: int
    swap_in_bytes: int
    swap_out_bytes: int
    digest: str


def world_of(demand: Demand) -> LivedWorld:
    """Make a world of a recording's demand.

    Raises:
        AlternativeError: there is too little in it.
    """
    guests = tuple(
        g for g, known in sorted(demand.guests.items()) if known.max_bytes and known.seen
    )
    seconds = int(demand.last_wall_s - demand.first_wall_s)
    if not guests or seconds < SECONDS_MIN or demand.middle_supply_bytes <= 0:
        raise AlternativeError(
            f"{len(guests)} guests with figures over {seconds} s make no world: a closed loop "
            f"takes {SECONDS_MIN} s at least, of guests that told what they used, on a host that "
            "could be read; --loop open goes without"
        )
    return LivedWorld(
        demand=demand, guests=guests, supply_bytes=demand.middle_supply_bytes, samples=seconds
    )


def live(world: LivedWorld, params: EngineParams, alternative: Alternative | None) -> Lived:
    """Put guests under a policy and see what becomes of them.

    ``adaptive`` and ``static`` run with ``params``; the rules of others run as they are published.

    Raises:
        MissingLibraryError: the simulator's libraries are not installed.
    """
    fleet, run, summary = _simulator()
    fleet_world = _fleet_world(world, fleet, params)
    ticks = fleet_world.ticks * len(world.guests)
    known = replace(params, known_demands={})
    outcome = run.run_policy(
        fleet_world,
        params.policy,
        params=known if params.policy is PolicyName.ADAPTIVE else None,
        is_compiled=ticks > COMPILED_GUEST_TICKS,
    )
    found = summary.summary_of(fleet_world, outcome)
    return Lived(
        alternative=alternative,
        policy=params.policy,
        unmet_ratio=found.unmet_ratio,
        worst_unmet_ratio=found.worst_unmet_ratio,
        distressed_s=found.distressed_s,
        below_reserve_s=found.below_reserve_s,
        churn_bytes=found.churn_bytes,
        swap_in_bytes=found.swap_in_bytes,
        swap_out_bytes=found.swap_out_bytes,
        digest=found.digest,
    )


def _simulator() -> tuple[Any, Any, Any]:
    try:
        from aerostat.sim.fleet import run, summary, world  # noqa: PLC0415 # an extra's libraries
    except ImportError as error:
        raise MissingLibraryError(
            "the closed loop takes the simulator, whose libraries (numpy, numba) are not installed "
            'here: pip install ".[plan]" in a checkout; --loop open goes without'
        ) from error
    return world, run, summary


def _fleet_world(world: LivedWorld, fleet: Any, params: EngineParams) -> Any:
    import numpy as np  # noqa: PLC0415 # as above

    known = [world.demand.guests[guest] for guest in world.guests]
    limits = [_limits(guest, one, params) for guest, one in zip(world.guests, known, strict=True)]
    maxima = np.array([one.max_bytes for one in limits], dtype=np.int64)
    return fleet.FleetWorld(
        max_bytes=maxima,
        demand_bytes=np.minimum(np.stack(world.columns(), axis=1), maxima),
        guests_a_host=len(known),
        overcommit_ratio=1.0,
        sample_s=TICK_S,
        tick_s=TICK_S,
        supply_bytes=np.array([world.supply_bytes], dtype=np.int64),
        min_bytes=np.array([one.min_bytes for one in limits], dtype=np.int64),
        weight=np.array([one.weight for one in limits], dtype=np.int64),
    )


def _limits(guest: GuestId, known: GuestDemand, params: EngineParams) -> ResolvedLimits:
    """The operator's word on it, as these parameters have it."""
    snapshot = GuestSnapshot(guest=guest, name=known.name, run_state=RunState.RUNNING)
    return resolve_limits(snapshot, known.max_bytes, params)
