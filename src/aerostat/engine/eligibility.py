"""Whether a step of the ladder may ever take a VM's memory: told, not decided by."""

from aerostat.engine.figures import is_pinned, limits_of
from aerostat.engine.params import EngineParams
from aerostat.model.guest import GuestSnapshot
from aerostat.model.host_state import HOST_STEPS, HostState, LadderStep

BALLOON_STEPS = (LadderStep.TAKE_FREE, LadderStep.TAKE_BY_WEIGHT)


def steps_that_take(params: EngineParams) -> tuple[LadderStep, ...]:
    """The steps that take of VMs, of those that the ladder names for any state."""
    named = {step for state in HostState for step in params.ladder.steps(state)}
    return tuple(step for step in (*BALLOON_STEPS, *HOST_STEPS) if step in named)


def is_eligible(guest: GuestSnapshot, step: LadderStep, params: EngineParams) -> bool | None:
    """Whether a step may take of this VM, once the host's state allows it; None: not known."""
    limits = limits_of(guest, params)
    if not limits.is_managed or step in limits.exempt:
        return False
    if step is not LadderStep.MERGE and is_pinned(guest):
        return False
    if step in BALLOON_STEPS:
        return guest.has_balloon
    return None if guest.footprint is None or guest.footprint.pid is None else True
