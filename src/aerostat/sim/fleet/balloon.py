"""Balloons: how far they get in a tick."""

from aerostat.sim.fleet.columns import Guests
from aerostat.sim.fleet.constants import DEFLATE_RATE, INFLATE_RATE


def balloon_rate(guests: Guests, i: int) -> float:
    """Bytes per second at which the guest's balloon goes where it is sent."""
    return DEFLATE_RATE if guests.target_bytes[i] >= guests.actual_bytes[i] else INFLATE_RATE


def end_bytes(guests: Guests, i: int, tick_s: float) -> int:
    """What the guest will hold at the end of a tick that begins now."""
    gap = guests.target_bytes[i] - guests.actual_bytes[i]
    if gap == 0:  # as for most, most of the time
        return guests.actual_bytes[i]
    most = int(balloon_rate(guests, i) * tick_s)
    return guests.actual_bytes[i] + max(-most, min(most, gap))
