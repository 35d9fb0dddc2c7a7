"""What the balancer is told in each arm, so that all arms cost the host the same."""

from dataclasses import replace

from aerostat.engine.params import (
    Accounting,
    EngineParams,
    GuardParams,
    HostParams,
    LadderParams,
)
from aerostat.lab.experiment.policies import UNCONSTRAINED, arm_params
from aerostat.lab.schedule import Schedule
from aerostat.lab.techniques.arms import LADDER, TechniqueArm
from aerostat.model.host_state import LadderStep
from aerostat.model.limits import Amount

LADDER_RESERVE = Amount(max_ratio=0.06)
"""Of the budget, that the ladder keeps free by taking what is free and cache in the guests."""


LOOP_IS_NEW_S = 1.0
"""Each arm's ladder has a loop of its own, to which the guests are new; they are up for minutes."""

_STEPS = (
    LadderStep.REPORTING,
    LadderStep.TAKE_FREE,
    LadderStep.MERGE,
    LadderStep.SPLIT,
    LadderStep.COMPRESS,
    LadderStep.SWAP,
)


def params_for(arm: TechniqueArm, schedule: Schedule, own_bytes: int) -> EngineParams:
    """Parameters of the balancer.

    Args:
        arm: which.
        schedule: its budget is what the guests may cost the host, everything counted.
        own_bytes: what the VMs' processes need beside guest RAM; guests share the rest.
    """
    if arm.name == LADDER:
        return ladder_params()
    if arm.policy == UNCONSTRAINED:
        return arm_params(UNCONSTRAINED, schedule)
    shared = replace(schedule, budget_bytes=schedule.budget_bytes - own_bytes)
    return arm_params(arm.policy, shared)


def ladder_params() -> EngineParams:
    """The daemon's ladder: reported and free pages, cache by balloon, then KSM, zswap and swap.

    Balloons take only what is free or cache in a guest; what it uses is left to the host.

    Where the host compresses and swaps, taking memory in use by balloon would make the guest swap
    the same pages, more dearly.
    """
    return EngineParams(
        host=HostParams(accounting=Accounting.ELASTIC, reserve=LADDER_RESERVE),
        guard=GuardParams(grace_s=LOOP_IS_NEW_S),
        ladder=LadderParams(comfortable=_STEPS, soft=_STEPS, hard=_STEPS, critical=_STEPS),
    )
