"""Accepting targets at once: what ``engine.state`` does with a ``TargetAnswered``, over columns."""

from aerostat.engine.columns import Round
from aerostat.policy.columns import ABSENT
from aerostat.sim.fleet.columns import Guests


def accept(r: Round, guests: Guests) -> None:
    """Hand the round's targets to the balloons, and remember them as the engine's state would.

    Like the daemon, nothing is sent where the decision is the standing target.
    """
    for host in range(len(r.hosts.first)):
        for i in range(r.hosts.first[host], r.hosts.end[host]):
            target = r.decision.target_bytes[i]
            if target != r.estimates.ordered_bytes[i]:
                answered(r, i, target)
                guests.target_bytes[i] = target


def answered(r: Round, i: int, target: int) -> None:
    """Fold one accepted target into the engine's memory, as of this round."""
    memory = r.memory
    memory.is_outcome_unknown[i] = 0
    before = memory.target_bytes[i]
    if before == ABSENT:
        before = memory.actual_bytes[i]
    if target < min(before, memory.actual_bytes[i]):
        memory.take_s[i] = r.now_s
    memory.target_bytes[i] = target
    memory.target_set_s[i] = r.now_s
    memory.progress_s[i] = r.now_s
    memory.has_arrived[i] = 0
