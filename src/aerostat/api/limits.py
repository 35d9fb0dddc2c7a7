"""Limits that an operator sets: what a file would be refused for is refused here, too."""

from dataclasses import replace

from aerostat.api.seat import Seat
from aerostat.control.orders import Ask
from aerostat.engine.figures import limits_of
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestSnapshot
from aerostat.units import format_size


def objection_to(ask: Ask, guest: GuestSnapshot, seat: Seat) -> str | None:
    """Why a VM cannot have these limits, beside those that it has already; None: it can."""
    max_bytes = guest.max_bytes
    if max_bytes is None:
        return None  # with shares of a size that nobody knows yet there is nothing to compare
    status = seat.board.status
    orders = status.orders.after(ask, now_s=seat.clock.now_s()).orders()
    # A release counts as a min of its own, for as long as it lasts.
    own = (
        {guest.guest: replace(orders[guest.guest], standing=None)} if guest.guest in orders else {}
    )
    params = replace(status.params or EngineParams(), orders=own)
    limits = limits_of(guest, params)
    least = limits.minimum.of(max_bytes)
    most = max_bytes if limits.maximum is None else limits.maximum.of(max_bytes)
    floor = min(params.guard.guest_floor_bytes, max_bytes)
    if ask.limits.maximum is not None and most < floor:
        return (
            f"max {format_size(most)} is less than a guest's system lives in "
            f"(advanced.guest_floor): set at least {format_size(floor)}"
        )
    if (ask.limits.minimum is not None or ask.limits.maximum is not None) and least > most:
        return (
            f"min {format_size(least)} is above max {format_size(most)}: "
            "raise max, or lower min with it"
        )
    return None
