"""One VM in full: what the state says of it, and every other figure with its source and age."""

from typing import Any

from aerostat.api.guests import present_guest
from aerostat.api.seat import Seat
from aerostat.api.state import guest_document
from aerostat.engine.figures import limits_of
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestSnapshot
from aerostat.model.plan import GuestTrace
from aerostat.story.remembered import known_only


def one_guest_document(seat: Seat, vm: str) -> dict[str, Any]:
    """All that is known of a VM.

    Raises:
        UnknownGuestError: there is none of this name, or more than one.
    """
    record, snapshot, trace = present_guest(seat, vm)
    status, now_s = seat.board.status, seat.clock.now_s()
    since_s = max(0.0, now_s - record.snapshot.now_s)
    document = guest_document(
        snapshot,
        trace,
        status.orders,
        was_enforced=record.was_enforced,
        now_s=now_s,
        since_s=since_s,
    )
    params = status.params or EngineParams()
    return {
        **document,
        "read_age_s": round(since_s, 3),
        **_declared(snapshot, params),
        **_of_guest(snapshot, trace, since_s),
        **_of_host(snapshot, trace),
    }


def _declared(snapshot: GuestSnapshot, params: EngineParams) -> dict[str, Any]:
    limits = limits_of(snapshot, params)
    return {
        "weight": limits.weight,
        "is_managed": limits.is_managed,
        "exempt": sorted(step.value for step in limits.exempt),
        **known_only(number=snapshot.number),
    }


def _of_guest(snapshot: GuestSnapshot, trace: GuestTrace, since_s: float) -> dict[str, Any]:
    said, pressed = snapshot.statistics, snapshot.pressure
    absent = {} if said is None else {figure.name: figure.why.value for figure in said.absent}
    return known_only(
        has_balloon=snapshot.has_balloon,
        deflates_on_oom=snapshot.deflates_on_oom,
        is_backing_up=snapshot.is_backing_up or None,
        headroom_bytes=trace.headroom_bytes,
        due_bytes=trace.due_bytes,
        guest_oom_kills=None if said is None else said.oom_kills,
        refaults_per_s=trace.refaults_per_s,
        pressure_age_s=None if pressed is None else round(pressed.age_s + since_s, 3),
        absent=absent or None,
    )


def _of_host(snapshot: GuestSnapshot, trace: GuestTrace) -> dict[str, Any]:
    footprint = snapshot.footprint
    return known_only(
        host_swapped_out_bytes=trace.host_swapped_out_bytes,
        host_swap_in_bytes_per_s=trace.host_swap_in_bytes_per_s,
        host_limit_bytes=None if footprint is None else footprint.limit_bytes,
        host_locked_bytes=None if footprint is None else footprint.locked_bytes,
        host_touched_bytes=None if footprint is None else footprint.touched_bytes,
        is_confined=trace.is_confined or None,
    )
