"""Supply: what the guests of a host may hold together, and what is physically left to give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aerostat.engine.params import Accounting, EngineParams
from aerostat.model.host import HostSnapshot
from aerostat.policy.columns import ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """One host's account. ``None``: the host could not be read, so nothing is taken or given."""

    total_bytes: int | None  # what the guests may hold together
    burst_bytes: int  # the part kept back for guests in distress
    physical_bytes: int | None  # what the host could still back right now


def supply_of(
    snapshot: HostSnapshot, params: EngineParams, last_actual: Sequence[int] = ()
) -> Supply:
    """Work out the supply from the host's own figures and the operator's budget.

    ``last_actual`` is what each guest held when it was last read, ``ABSENT`` where it never was: a
    guest that does not answer just now holds its memory all the same.

    Without a budget the guests may hold what they hold now plus what the host has available, less
    the host's reserve. Memory that a guest was asked for but has not given back is not available,
    so only what has really come back is ever counted. What page sharing saves is not counted
    either: a storm of writes takes it back within seconds.

    ``strict`` counts what the host really holds for guests, so that memory a guest has not touched
    yet is still covered when it does; ``elastic`` takes guests at their word of what they hold, and
    so takes memory only when the host itself falls below its reserve.
    """
    host = snapshot.memory
    if host is None:
        return Supply(total_bytes=None, burst_bytes=0, physical_bytes=None)
    reserve = params.host.reserve.of(host.total_bytes)
    spare = host.available_bytes - reserve - (host.revocable_bytes or 0)
    if params.host.accounting is Accounting.ELASTIC:
        total = max(0, sum(_actual_bytes(snapshot, last_actual)) + spare)
    else:
        total = max(0, _resident_bytes(snapshot, last_actual) + spare)
    if params.host.budget_bytes is not None:
        total = min(total, params.host.budget_bytes)
    # Half of the reserve is the hard line: distress may use the rest of it.
    physical = max(0, host.available_bytes - reserve // 2)
    burst = min(total, params.host.burst_reserve.of(total))
    return Supply(total_bytes=total, burst_bytes=burst, physical_bytes=physical)


def with_room_for(supply: Supply, coming_bytes: int, params: EngineParams) -> Supply:
    """Less what is on its way back from the host's swap: it needs RAM, and nobody has counted it.

    ``strict`` counts all that guests may hold, and so what lies in swap as well.
    """
    elastic = params.host.accounting is Accounting.ELASTIC
    if coming_bytes <= 0 or supply.total_bytes is None or not elastic:
        return supply
    total = max(0, supply.total_bytes - coming_bytes)
    return replace(supply, total_bytes=total, burst_bytes=min(total, supply.burst_bytes))


def _actual_bytes(snapshot: HostSnapshot, last_actual: Sequence[int]) -> list[int]:
    known = last_actual or [ABSENT] * len(snapshot.guests)
    return [
        max(0, last) if guest.actual_bytes is None else guest.actual_bytes
        for guest, last in zip(snapshot.guests, known, strict=True)
    ]


def _resident_bytes(snapshot: HostSnapshot, last_actual: Sequence[int]) -> int:
    """What the host holds for guests' own memory; the hypervisor's overhead is not theirs.

    A guest whose measure is absent counts with its ``actual``: too much rather than too little,
    because too small a supply would take memory on a figure nobody has.
    """
    resident = 0
    for guest, actual in zip(snapshot.guests, _actual_bytes(snapshot, last_actual), strict=True):
        held = None if guest.footprint is None else guest.footprint.held_bytes
        resident += actual if held is None else min(held, actual)
    return resident
