"""What the self-check has to know of a round, read off the columns."""

from collections.abc import Mapping, Sequence

from aerostat.engine.believe import ARRIVED_BYTES
from aerostat.engine.closing import lent_bytes
from aerostat.engine.columns import RUN_RUNNING, Round
from aerostat.engine.effect import Circumstances
from aerostat.engine.guard import dead_band_bytes
from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.engine.supply import Supply
from aerostat.model.events import Event, TargetAnswered
from aerostat.model.guest import GuestId
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import Plan
from aerostat.policy.columns import ABSENT

SHORT_RATIO = 0.9
"""A host with less of its reserve is short: balanced, it has just about all of it."""
OVER_RATIO = 1.02
"""Guests that hold so much of what they may are over it, dead bands apart."""


def actual_before(state: EngineState, events: Sequence[Event]) -> Mapping[GuestId, int]:
    """What guests that were sent a target held when that was decided; before the round is."""
    answered = {event.guest for event in events if isinstance(event, TargetAnswered)}
    if not answered:
        return {}
    return {
        guest: state.memory.actual_bytes[i]
        for i, guest in enumerate(state.guests)
        if guest in answered and state.memory.actual_bytes[i] != ABSENT
    }


def circumstances(
    r: Round,
    snapshot: HostSnapshot,
    supply: Supply,
    params: EngineParams,
    *,
    plan: Plan,
    before: Mapping[GuestId, int],
) -> Circumstances:
    """Sum up a decided round."""
    movable = [i for i in range(len(r.figures.run)) if _could_be_moved(r, i)]
    return Circumstances(
        actual_before=before,
        movable=len(movable),
        has_figures=any(r.figures.has_sample[i] == 1 for i in movable),
        is_short=_is_below_reserve(snapshot, params) or _are_over_supply(r, supply, movable),
        is_busy=bool(plan.changes) or any(_is_under_way(r, i) for i in movable),
    )


def _is_below_reserve(snapshot: HostSnapshot, params: EngineParams) -> bool:
    host = snapshot.memory
    if host is None:
        return False
    return host.available_bytes < SHORT_RATIO * params.host.reserve.of(host.total_bytes)


def _are_over_supply(r: Round, supply: Supply, movable: Sequence[int]) -> bool:
    if supply.total_bytes is None:
        return False
    held = sum(r.estimates.committed_bytes) - lent_bytes(r, 0, len(r.figures.run))
    over = held + r.hosts.reserved_bytes[0] - OVER_RATIO * supply.total_bytes
    # Mostly it is not, and dead bands need not be counted.
    return over > 0 and over > sum(
        dead_band_bytes(r.figures.max_bytes[i], r.knobs) for i in movable
    )


def _could_be_moved(r: Round, i: int) -> bool:
    return (
        r.figures.is_managed[i] == 1
        and r.figures.run[i] == RUN_RUNNING
        and r.figures.has_balloon[i] == 1
    )


def _is_under_way(r: Round, i: int) -> bool:
    target, actual = r.memory.target_bytes[i], r.figures.actual_bytes[i]
    if ABSENT in (target, actual) or r.memory.has_arrived[i] == 1:
        return False
    return abs(actual - target) > ARRIVED_BYTES and r.estimates.is_stalled[i] == 0
