"""Supply: what the guests of a host may hold together, and what is physically left to give."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from aerostat.engine.columns import Memory, empty_memory
from aerostat.engine.params import Accounting, EngineParams, GuardRule
from aerostat.engine.resident import in_use_bytes, resident_bytes
from aerostat.model.guest import GuestId
from aerostat.model.host import HostSnapshot
from aerostat.policy.columns import ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """One host's account. ``None``: the host could not be read, so nothing is taken or given."""

    total_bytes: int | None  # what the guests may hold together
    burst_least_bytes: int  # the part kept back for guests in distress ...
    burst_most_bytes: int  # ... and so much, where they have risen so far
    physical_bytes: int | None  # what the host could still back right now


_NOTHING: Mapping[GuestId, int] = MappingProxyType({})


def supply_of(
    snapshot: HostSnapshot,
    params: EngineParams,
    memory: Memory | None = None,
    promised_bytes: Mapping[GuestId, int] = _NOTHING,
) -> Supply:
    """Work out the supply from the host's own figures and the operator's budget.

    ``memory`` is what the engine remembers, with rows as in the snapshot: a guest that does not
    answer just now holds its memory all the same.

    Without a budget the guests may hold what they hold now plus what the host has available, less
    the host's reserve. Memory that a guest was asked for but has not given back is not available,
    so only what has really come back is ever counted. What page sharing saves is not counted
    either: a storm of writes takes it back within seconds.

    ``strict`` counts what the host really holds for guests, so that memory a guest has not touched
    yet is still covered when it does; ``elastic`` takes guests at their word of what they hold, and
    so takes memory only when the host itself falls below its reserve. ``promised_bytes`` to guests
    that have just come are counted strictly either way: they are about to touch them.
    """
    host = snapshot.memory
    if host is None:
        return Supply(
            total_bytes=None, burst_least_bytes=0, burst_most_bytes=0, physical_bytes=None
        )
    known = empty_memory(len(snapshot.guests)) if memory is None else memory
    reserve = params.host.reserve.of(host.total_bytes)
    spare = host.available_bytes - (host.revocable_bytes or 0) - reserve
    is_elastic = params.host.accounting is Accounting.ELASTIC
    total = max(0, _held_bytes(snapshot, known, promised_bytes, is_elastic=is_elastic) + spare)
    if params.host.budget_bytes is not None:
        total = min(total, params.host.budget_bytes)
    # Half of the reserve is the hard line: distress may use the rest of it, but not what a storm of
    # writes to merged pages would take.
    kept = max(reserve // 2, host.revocable_bytes or 0)
    physical = max(0, host.available_bytes - kept)
    most = min(total, params.host.burst_reserve.of(total))
    if GuardRule.BURST_RESERVE in params.rules_off:
        most = 0
    least = min(most, params.host.burst_reserve_min.of(total))
    return Supply(
        total_bytes=total,
        burst_least_bytes=least,
        burst_most_bytes=most,
        physical_bytes=physical,
    )


def with_room_for(supply: Supply, coming_bytes: int, params: EngineParams) -> Supply:
    """Less what is on its way back from the host's swap: it needs RAM, and nobody has counted it.

    ``strict`` counts all that guests may hold, and so what lies in swap as well.
    """
    elastic = params.host.accounting is Accounting.ELASTIC
    if coming_bytes <= 0 or supply.total_bytes is None or not elastic:
        return supply
    total = max(0, supply.total_bytes - coming_bytes)
    return replace(
        supply,
        total_bytes=total,
        burst_least_bytes=min(total, supply.burst_least_bytes),
        burst_most_bytes=min(total, supply.burst_most_bytes),
    )


def _held_bytes(
    snapshot: HostSnapshot, memory: Memory, promised: Mapping[GuestId, int], *, is_elastic: bool
) -> int:
    """What guests hold of the host: by their word where elastic, else what is really there.

    A guest whose measure is absent counts with its ``actual``: too much rather than too little,
    because too small a supply would take memory on a figure nobody has.
    """
    held = 0
    for i, guest in enumerate(snapshot.guests):
        last = max(0, memory.actual_bytes[i])
        actual = last if guest.actual_bytes is None else guest.actual_bytes
        measured = None if guest.footprint is None else guest.footprint.held_bytes
        if measured is None:
            untouched = _untold_bytes(actual, in_use_bytes(memory, i))
        else:
            untouched = actual - resident_bytes(measured, actual, in_use_bytes(memory, i))
        if is_elastic or measured is None:
            untouched = min(untouched, promised.get(guest.guest, 0))
        held += actual - untouched
    return held


def _untold_bytes(actual: int, in_use: int) -> int:
    """What it has not touched by its own word, where nothing is measured; 0: it says nothing."""
    return 0 if in_use == ABSENT else max(0, actual - in_use)
