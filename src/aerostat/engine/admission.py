"""Admission: whether the host has room for a VM to come, all promises counted in full.

Memory that is promised counts from the moment it is promised, not from when it is touched: several
VMs that start at once would each find the same memory free.
"""

from collections.abc import Sequence

from aerostat.engine.state import EngineState
from aerostat.model.admission import Admission, Verdict
from aerostat.model.events import Event, MemoryReserved
from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep
from aerostat.model.plan import HostTrace, RoundTrace


def room_bytes(host: HostTrace) -> int | None:
    """What VMs may still hold, beyond what they hold or are promised; below 0: too much is.

    None where the host could not be read.
    """
    if host.supply_bytes is None:
        return None
    return host.supply_bytes - host.committed_bytes - host.rising_bytes - host.reserved_bytes


def admission(
    state: EngineState,
    trace: RoundTrace | None,
    waiting: Sequence[Event],
    *,
    owner: GuestId,
    size_bytes: int,
) -> Admission:
    """Say whether a VM may come.

    Args:
        state: after the last round.
        trace: of that round; None: there was none yet.
        waiting: events that no round has heard of: what is promised there counts, too.
        owner: its name. What was promised to it before is its own, and not counted twice.
        size_bytes: what it will hold, at the most.
    """
    room = None if trace is None else room_bytes(trace.host)
    if trace is None or room is None:
        return Admission(verdict=Verdict.HOST_UNKNOWN, room_bytes=None)
    room -= _promised_since(state, waiting, owner)
    if any(owner in (guest.guest, guest.name) for guest in trace.guests):
        return Admission(verdict=Verdict.ALREADY_HERE, room_bytes=room)
    if LadderStep.REFUSE_STARTS in trace.host.allowed:
        return Admission(verdict=Verdict.STARTS_REFUSED, room_bytes=room)
    if size_bytes > room:
        return Admission(verdict=Verdict.NO_ROOM, room_bytes=room)
    return Admission(verdict=Verdict.ADMITTED, room_bytes=room - size_bytes)


def _promised_since(state: EngineState, waiting: Sequence[Event], owner: GuestId) -> int:
    """What is promised to others beyond what the last round counted as promised to all."""
    promised = {p.owner: p.size_bytes for p in state.reservations if not p.is_here}
    promised.update(
        (event.guest, event.size_bytes) for event in waiting if isinstance(event, MemoryReserved)
    )
    promised.pop(owner, None)
    return sum(promised.values()) - state.reserved_bytes
