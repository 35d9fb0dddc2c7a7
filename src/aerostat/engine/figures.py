"""From a snapshot to columns: values become numbers, absent ones become ``ABSENT``."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from aerostat.engine.columns import (
    RUN_MIGRATING,
    RUN_OTHER,
    RUN_PAUSED,
    RUN_RUNNING,
    RUN_UNREACHABLE,
    STANDING_HELD,
    STANDING_NONE,
    STANDING_RELEASED,
    TAKES_ALL,
    TAKES_FREE,
    TAKES_NOTHING,
    TAKES_PINNED,
    Figures,
)
from aerostat.engine.params import EngineParams
from aerostat.model.figures import BalloonStatistics, VmFootprint
from aerostat.model.guest import GuestSnapshot, RunState
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState, LadderStep
from aerostat.model.limits import Amount, GuestLimits
from aerostat.model.orders import GuestOrder, Standing
from aerostat.model.resolved import ResolvedLimits
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn

_RUN = {
    RunState.RUNNING: RUN_RUNNING,
    RunState.PAUSED: RUN_PAUSED,
    RunState.MIGRATING: RUN_MIGRATING,
    RunState.UNREACHABLE: RUN_UNREACHABLE,
}


_STANDING = {
    None: STANDING_NONE,
    Standing.HELD: STANDING_HELD,
    Standing.RELEASED: STANDING_RELEASED,
}


def limits_of(guest: GuestSnapshot, params: EngineParams) -> GuestLimits:
    """The operator's word on a guest: the first rule for it, the VM's own settings, then orders.

    A rule names guests by a glob of their names, or one by its id as it is.
    """
    limits = params.default_limits
    for rule in params.rules:
        if fnmatchcase(guest.name, rule.name_glob) or guest.guest == rule.name_glob:
            limits = rule.limits
            break
    if guest.declared is not None:
        limits = guest.declared.over(limits)
    order = params.orders.get(guest.guest)
    return limits if order is None else _ordered(limits, order)


def _ordered(limits: GuestLimits, order: GuestOrder) -> GuestLimits:
    minimum = limits.minimum if order.minimum is None else order.minimum
    if order.standing is Standing.RELEASED:
        minimum = Amount(max_ratio=1.0)  # so that others give for it what is not free
    return replace(
        limits,
        minimum=minimum,
        maximum=limits.maximum if order.maximum is None else order.maximum,
        weight=limits.weight if order.weight is None else order.weight,
    )


def resolve_limits(guest: GuestSnapshot, max_bytes: int, params: EngineParams) -> ResolvedLimits:
    """Limits in bytes; what contradicts the guest's real size gives way to it."""
    limits = limits_of(guest, params)
    ceiling = max_bytes
    if limits.maximum is not None:
        ceiling = min(max_bytes, max(1, limits.maximum.of(max_bytes)))
    return ResolvedLimits(
        guest=guest.guest,
        min_bytes=min(ceiling, max(1, limits.minimum.of(max_bytes))),
        max_bytes=ceiling,
        weight=limits.weight,
        is_managed=limits.is_managed,
    )


def is_pinned(guest: GuestSnapshot) -> bool:
    """Whether most of a VM's memory stays with the host whatever its balloon takes."""
    locked = None if guest.footprint is None else guest.footprint.locked_bytes
    return bool(locked and guest.max_bytes and 2 * locked >= guest.max_bytes)


def _takes(guest: GuestSnapshot, params: EngineParams, steps: Sequence[LadderStep]) -> int:
    """What the ladder lets a VM's balloon take now."""
    if is_pinned(guest):
        return TAKES_PINNED
    exempt = limits_of(guest, params).exempt
    if LadderStep.TAKE_FREE not in steps or LadderStep.TAKE_FREE in exempt:
        return TAKES_NOTHING
    if LadderStep.TAKE_BY_WEIGHT not in steps or LadderStep.TAKE_BY_WEIGHT in exempt:
        return TAKES_FREE
    return TAKES_ALL


def figures_of(
    snapshot: HostSnapshot, params: EngineParams, state: HostState = HostState.COMFORTABLE
) -> Figures:
    """Columns of one host's guests, in the snapshot's order; ``state`` is how short the host is."""
    steps = params.ladder.steps(state)
    guests = snapshot.guests
    ceilings = [_max_bytes(guest) for guest in guests]
    limits = [
        None if ceiling is None else resolve_limits(guest, ceiling, params)
        for guest, ceiling in zip(guests, ceilings, strict=True)
    ]
    samples = [guest.statistics for guest in guests]
    return Figures(
        run=[_RUN.get(guest.run_state, RUN_OTHER) for guest in guests],
        has_balloon=[ABSENT if g.has_balloon is None else int(g.has_balloon) for g in guests],
        is_managed=[
            int(limits_of(g, params).is_managed) if known is None else int(known.is_managed)
            for g, known in zip(guests, limits, strict=True)
        ],
        is_backing_up=[1 if guest.is_backing_up else 0 for guest in guests],
        takes=[_takes(guest, params, steps) for guest in guests],
        standing=_standing(guests, params),
        min_bytes=[ABSENT if known is None else known.min_bytes for known in limits],
        max_bytes=[ABSENT if known is None else known.max_bytes for known in limits],
        weight=[
            limits_of(guest, params).weight if known is None else known.weight
            for guest, known in zip(guests, limits, strict=True)
        ],
        actual_bytes=[_or_absent(guest.actual_bytes) for guest in guests],
        held_bytes=[
            ABSENT if g.footprint is None else _or_absent(g.footprint.held_bytes) for g in guests
        ],
        held_age_s=[0.0 if g.footprint is None else g.footprint.age_s for g in guests],
        **_host_side(guests),
        disk_read_bytes=[_or_absent(guest.disk_read_bytes) for guest in guests],
        has_sample=[0 if sample is None or sample.sampled_wall_s <= 0 else 1 for sample in samples],
        sample_wall_s=[0.0 if sample is None else sample.sampled_wall_s for sample in samples],
        sample_age_s=[0.0 if sample is None else sample.age_s for sample in samples],
        available_bytes=_column(samples, "available_bytes"),
        free_bytes=_column(samples, "free_bytes"),
        cache_bytes=_column(samples, "cache_bytes"),
        swap_in_bytes=_column(samples, "swap_in_bytes"),
        swap_out_bytes=_column(samples, "swap_out_bytes"),
        major_faults=_column(samples, "major_faults"),
        oom_kills=_column(samples, "oom_kills"),
        alloc_stalls=_column(samples, "alloc_stalls"),
        refaults=[
            ABSENT if g.pressure is None else _or_absent(g.pressure.refaults) for g in guests
        ],
        pressure_some_s=_pressure(guests, "some_total_s"),
        pressure_full_s=_pressure(guests, "full_total_s"),
    )


def _standing(guests: Sequence[GuestSnapshot], params: EngineParams) -> IntColumn:
    if not params.orders:  # as in nearly every round
        return [STANDING_NONE] * len(guests)
    orders = [params.orders.get(guest.guest) for guest in guests]
    return [STANDING_NONE if order is None else _STANDING[order.standing] for order in orders]


def _host_side(guests: Sequence[GuestSnapshot]) -> dict[str, Any]:
    """What the host says of each VM's process, in one pass."""
    rows = [_host_row(guest.footprint) for guest in guests]
    swap, swap_in, waited, hits = zip(*rows, strict=True) if rows else ((), (), (), ())
    return {
        "host_swap_bytes": list(swap),
        "host_swap_in_bytes": list(swap_in),
        "host_waited_s": list(waited),
        "limit_hits": list(hits),
    }


def _host_row(footprint: VmFootprint | None) -> tuple[int, int, float, int]:
    if footprint is None:
        return ABSENT, ABSENT, float(ABSENT), ABSENT
    waited_s = footprint.pressure_some_total_s
    return (
        _or_absent(footprint.swap_bytes),
        _or_absent(footprint.swap_in_bytes),
        float(ABSENT) if waited_s is None else waited_s,
        _or_absent(footprint.limit_hits),
    )


def _max_bytes(guest: GuestSnapshot) -> int | None:
    """RAM at boot; where it is not known, what it holds is the most we dare to give it."""
    if guest.max_bytes is not None and guest.max_bytes > 0:
        return guest.max_bytes
    return guest.actual_bytes if guest.actual_bytes else None


def _or_absent(value: int | None) -> int:
    return ABSENT if value is None else value


def _column(samples: Sequence[BalloonStatistics | None], name: str) -> IntColumn:
    return [ABSENT if sample is None else _or_absent(getattr(sample, name)) for sample in samples]


def _pressure(guests: Sequence[GuestSnapshot], name: str) -> FloatColumn:
    values: list[float] = []
    for guest in guests:
        value = None if guest.pressure is None else getattr(guest.pressure, name)
        values.append(float(ABSENT) if value is None else value)
    return values
