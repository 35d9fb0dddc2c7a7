"""What a take would bring a host that is short: a balloon gives pages, not always the host's."""

from aerostat.engine.columns import Round
from aerostat.engine.guard import is_likely_refused
from aerostat.engine.resident import in_use_bytes, resident_bytes
from aerostat.policy.columns import ABSENT


def judge_sureness(r: Round, i: int) -> None:
    """Work out how much of what guest ``i`` might give would bring the host nothing.

    That is what the host has nothing behind: never touched, or back already. And all of it, where
    a take would be refused. Where the host measures nothing, nothing speaks against the guest.
    """
    actual, held = r.figures.actual_bytes[i], r.figures.held_bytes[i]
    if is_likely_refused(r, i):
        r.estimates.unsure_bytes[i] = max(actual, r.estimates.ordered_bytes[i])
    elif ABSENT not in (actual, held):
        resident = resident_bytes(held, actual, in_use_bytes(r.memory, i))
        r.estimates.unsure_bytes[i] = actual - resident
