"""From a snapshot to columns: values become numbers, absent ones become ``ABSENT``."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import Any

from aerostat.engine.believe import BLUR_BYTES
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
from aerostat.engine.params import EngineParams, GuardRule
from aerostat.model.guest import GuestSnapshot, RunState
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import HostState, LadderStep
from aerostat.model.limits import Amount, GuestLimits
from aerostat.model.orders import GuestOrder, Standing
from aerostat.model.resolved import ResolvedLimits
from aerostat.policy.columns import ABSENT, IntColumn

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

    A rule names guests by a glob of their names or of their tags, or one by its id or its
    platform's number for it.
    """
    limits = params.default_limits
    for rule in params.rules:
        if _is_named(guest, rule.name_glob) or _is_tagged(guest, rule.tag_glob):
            limits = rule.limits
            break
    if guest.declared is not None:
        limits = guest.declared.over(limits)
    order = params.orders.get(guest.guest)
    return limits if order is None else _ordered(limits, order)


def _is_named(guest: GuestSnapshot, glob: str | None) -> bool:
    if glob is None:
        return False
    return glob in (guest.guest, guest.number) or fnmatchcase(guest.name, glob)


def _is_tagged(guest: GuestSnapshot, glob: str | None) -> bool:
    if glob is None or guest.tags is None:
        return False
    return any(fnmatchcase(tag, glob) for tag in guest.tags)


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
    least, most = _bounds(limits, max_bytes, params.guard.guest_floor_bytes)
    return ResolvedLimits(
        guest=guest.guest,
        min_bytes=least,
        max_bytes=most,
        weight=limits.weight,
        is_managed=limits.is_managed,
    )


def _bounds(limits: GuestLimits, max_bytes: int | None, floor_bytes: int) -> tuple[int, int]:
    """Min and max in bytes; both absent where the guest's size is.

    No max is so little that its system could not live in it.
    """
    if max_bytes is None:
        return ABSENT, ABSENT
    most = max_bytes
    if limits.maximum is not None:
        most = min(max_bytes, max(floor_bytes, 1, limits.maximum.of(max_bytes)))
    return min(most, max(1, limits.minimum.of(max_bytes))), most


def is_pinned(guest: GuestSnapshot) -> bool:
    """Whether most of a VM's memory stays with the host whatever its balloon takes."""
    locked = None if guest.footprint is None else guest.footprint.locked_bytes
    return bool(locked and guest.max_bytes and 2 * locked >= guest.max_bytes)


def _lets_go(guest: GuestSnapshot) -> bool | None:
    """Whether its balloon may have let go by itself: not where it holds what was asked of it.

    Where a hypervisor names the standing target, a guest that holds no more than that has been
    raised by whoever set it, though its balloon be of the kind that may let go (design 0017).
    """
    target_bytes, actual_bytes = guest.standing_target_bytes, guest.actual_bytes
    if target_bytes is None or actual_bytes is None or actual_bytes > target_bytes + BLUR_BYTES:
        return guest.deflates_on_oom
    return False


def _takes(guest: GuestSnapshot, exempt: frozenset[LadderStep], steps: Sequence[LadderStep]) -> int:
    """What the ladder lets a VM's balloon take now."""
    if is_pinned(guest):
        return TAKES_PINNED
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
    heeds_backups = GuardRule.BACKUP not in params.rules_off
    limits = [limits_of(guest, params) for guest in guests]
    floor = params.guard.guest_floor_bytes
    bounds = [_bounds(own, _max_bytes(g), floor) for own, g in zip(limits, guests, strict=True)]
    samples = [guest.statistics for guest in guests]
    footprints = [guest.footprint for guest in guests]
    pressures = [guest.pressure for guest in guests]
    return Figures(
        run=[_RUN.get(guest.run_state, RUN_OTHER) for guest in guests],
        has_balloon=_truths([guest.has_balloon for guest in guests]),
        deflates_on_oom=_truths([_lets_go(guest) for guest in guests]),
        is_managed=[int(own.is_managed) for own in limits],
        is_backing_up=[int(guest.is_backing_up and heeds_backups) for guest in guests],
        takes=[_takes(g, own.exempt, steps) for g, own in zip(guests, limits, strict=True)],
        standing=_standing(guests, params),
        min_bytes=[least for least, _ in bounds],
        max_bytes=[most for _, most in bounds],
        weight=[own.weight for own in limits],
        promised_bytes=[ABSENT] * len(guests),
        **_columns(guests, _OF_GUEST, ABSENT),
        held_age_s=[0.0 if own is None else own.age_s for own in footprints],
        **_columns(footprints, _OF_FOOTPRINT, ABSENT),
        **_columns(footprints, _WAITED, float(ABSENT)),
        has_sample=[0 if sample is None or sample.sampled_wall_s <= 0 else 1 for sample in samples],
        sample_wall_s=[0.0 if sample is None else sample.sampled_wall_s for sample in samples],
        sample_age_s=[0.0 if sample is None else sample.age_s for sample in samples],
        **_columns(samples, _OF_SAMPLE, ABSENT),
        **_columns(pressures, _REFAULTS, ABSENT),
        **_columns(pressures, _PRESSURE, float(ABSENT)),
    )


_Reads = Sequence[tuple[str, Callable[[Any], Any]]]
"""Columns of ``Figures``, and how each is read from what it is read from."""


def _reads(*same: str, **names: str) -> _Reads:
    """Columns that are called what they are read from, and those that are not."""
    named = {**dict(zip(same, same, strict=True)), **names}
    return tuple((column, attrgetter(name)) for column, name in named.items())


_OF_GUEST = _reads("actual_bytes", "disk_read_bytes")
_OF_FOOTPRINT = _reads(
    "held_bytes",
    "limit_hits",
    "unsplit_bytes",
    "touched_bytes",
    host_swap_bytes="swap_bytes",
    host_swap_in_bytes="swap_in_bytes",
)
_WAITED = _reads(host_waited_s="pressure_some_total_s")
_OF_SAMPLE = _reads(
    "available_bytes",
    "free_bytes",
    "cache_bytes",
    "swap_in_bytes",
    "swap_out_bytes",
    "major_faults",
    "oom_kills",
    "alloc_stalls",
)
_REFAULTS = _reads("refaults")
_PRESSURE = _reads(
    pressure_wall_s="sampled_wall_s",
    pressure_some_s="some_total_s",
    pressure_full_s="full_total_s",
)


def _columns(sources: Sequence[object], reads: _Reads, absent: float) -> dict[str, Any]:
    """Read some attributes of every source, of which each may be missing."""
    return {
        column: [
            absent if source is None or (value := read(source)) is None else value
            for source in sources
        ]
        for column, read in reads
    }


def _truths(values: Sequence[bool | None]) -> IntColumn:
    return [ABSENT if value is None else int(value) for value in values]


def _standing(guests: Sequence[GuestSnapshot], params: EngineParams) -> IntColumn:
    if not params.orders:  # as in nearly every round
        return [STANDING_NONE] * len(guests)
    orders = [params.orders.get(guest.guest) for guest in guests]
    return [STANDING_NONE if order is None else _STANDING[order.standing] for order in orders]


def _max_bytes(guest: GuestSnapshot) -> int | None:
    """RAM at boot; where it is not known, what it holds is the most we dare to give it."""
    if guest.max_bytes is not None and guest.max_bytes > 0:
        return guest.max_bytes
    return guest.actual_bytes if guest.actual_bytes else None
