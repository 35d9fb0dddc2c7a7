"""Who finds that somebody else has set a guest's target says so once, as an event of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from aerostat.engine.columns import Memory, Round
from aerostat.model.events import TargetReplaced
from aerostat.model.guest import GuestId
from aerostat.policy.columns import FloatColumn, IntColumn

AGAIN_S = 60.0
"""Who sets targets every few seconds, as another balancer would, is told of so seldom at most."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What guests held before a round, and since when they have been left to others."""

    actual_bytes: IntColumn
    stranger_s: FloatColumn


def watch(memory: Memory) -> Watch:
    """Remember what the round is about to change in place."""
    return Watch(list(memory.actual_bytes), list(memory.stranger_s))


def replaced(before: Watch, r: Round, guests: Sequence[GuestId]) -> tuple[TargetReplaced, ...]:
    """Guests found with another target than ours in this round; who goes on setting is no news."""
    if r.knobs.yields == 0 or r.memory.stranger_s == before.stranger_s:  # as in nearly every round
        return ()
    return tuple(
        TargetReplaced(
            guest=guest,
            held_bytes=before.actual_bytes[i],
            actual_bytes=r.memory.actual_bytes[i],
            for_s=r.knobs.yield_s,
        )
        for i, guest in enumerate(guests)
        if r.memory.stranger_s[i] != before.stranger_s[i]
        and r.now_s - before.stranger_s[i] >= max(r.knobs.yield_s, AGAIN_S)
    )
