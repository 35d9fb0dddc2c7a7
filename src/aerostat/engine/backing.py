"""What the host could make room for: guests' memory that it may compress or swap.

A guest in need is not made to wait for a free page where the host may page out what nobody misses:
without balloons it would have been given that page by the kernel, unasked. Only where guests are
taken at their word (``elastic``), no budget is declared, and a technique is on that the host's
state allows; ``strict`` promises that the host never has to swap.
"""

from aerostat.engine.figures import is_pinned, limits_of
from aerostat.engine.params import Accounting, EngineParams
from aerostat.engine.state import EngineState
from aerostat.model.guest import GuestSnapshot
from aerostat.model.host import HostSnapshot
from aerostat.model.host_state import TAKING_STEPS, LadderStep

SHARE_DIVISOR = 2
"""Half of what could be paged out is counted: what is compressed frees only a part, and more than
half of the guests' memory on its way out would be a host that does nothing else."""


def backing_of(state: EngineState, snapshot: HostSnapshot, params: EngineParams) -> int:
    """Bytes that guests in need may have beyond the supply; 0 unless the host may page out."""
    memory = snapshot.memory
    is_promised = params.host.accounting is Accounting.STRICT
    if memory is None or is_promised or params.host.budget_bytes is not None:
        return 0
    steps = [s for s in TAKING_STEPS if s in params.ladder.steps(state.host_state)]
    steps = [s for s in steps if state.ladder.technique(s).is_on]
    if not steps:
        return 0
    pageable = sum(_pageable_bytes(guest, params, steps) for guest in snapshot.guests)
    return min(memory.swap_free_bytes, pageable) // SHARE_DIVISOR


def least_in_ram_bytes(guest: GuestSnapshot, params: EngineParams) -> int:
    """What the host leaves a VM in RAM: its min, and what a guest's system lives in."""
    least = params.guard.guest_floor_bytes
    if guest.max_bytes:
        least = max(least, limits_of(guest, params).minimum.of(guest.max_bytes))
    return least


def _pageable_bytes(guest: GuestSnapshot, params: EngineParams, steps: list[LadderStep]) -> int:
    limits, footprint = limits_of(guest, params), guest.footprint
    is_allowed = limits.is_managed and any(step not in limits.exempt for step in steps)
    if not is_allowed or is_pinned(guest) or footprint is None or footprint.held_bytes is None:
        return 0
    least = max(least_in_ram_bytes(guest, params), footprint.touched_bytes or 0)
    return max(0, footprint.held_bytes - least)
