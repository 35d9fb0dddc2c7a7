"""How short the host itself is, in four states, and what each allows."""

from enum import StrEnum


class HostState(StrEnum):
    """From plenty to none. Values are stable."""

    COMFORTABLE = "comfortable"
    SOFT = "soft"
    HARD = "hard"
    CRITICAL = "critical"
    UNKNOWN = "unknown"  # the host could not be read


class LadderStep(StrEnum):
    """What may be done about it, in the order in which it is done. Values are stable."""

    GIVE_SURPLUS = "give_surplus"
    REPORTING = "reporting"  # guests give back by themselves what is free in them
    MERGE = "merge"  # identical pages of guests
    TAKE_FREE = "take_free"  # what lies free in guests
    TAKE_BY_WEIGHT = "take_by_weight"  # what guests use for something, from calm ones, in steps
    SPLIT = "split"  # huge pages of which balloons have taken a part: else the host gets nothing
    COMPRESS = "compress"  # guests' memory, in the host's
    SWAP = "swap"  # guests' memory, to the host's disk
    GIVE_TO_DISTRESS_ONLY = "give_to_distress_only"
    REFUSE_STARTS = "refuse_starts"
    ALERT = "alert"


HOST_STEPS = (LadderStep.MERGE, LadderStep.COMPRESS, LadderStep.SWAP)
"""What the host does itself, and only where the operator says so."""

TAKING_STEPS = (LadderStep.COMPRESS, LadderStep.SWAP)
"""Those of them that take memory at will, from one VM at a time."""

DECLARABLE_STEPS = (
    LadderStep.REPORTING,
    LadderStep.MERGE,
    LadderStep.TAKE_FREE,
    LadderStep.TAKE_BY_WEIGHT,
    LadderStep.SPLIT,
    LadderStep.COMPRESS,
    LadderStep.SWAP,
    LadderStep.REFUSE_STARTS,
    LadderStep.ALERT,
)
"""What a state of the ladder may be declared to use; the others follow from the state."""

EXEMPTIONS = (
    LadderStep.MERGE,
    LadderStep.TAKE_FREE,
    LadderStep.TAKE_BY_WEIGHT,
    LadderStep.SPLIT,
    LadderStep.COMPRESS,
    LadderStep.SWAP,
)
"""What one VM may be spared."""

OWED_STEPS = (LadderStep.REFUSE_STARTS, LadderStep.ALERT)
"""Due in any state while a guest in distress lacks its share by weight and nobody can give."""

_ALWAYS = {
    HostState.COMFORTABLE: (LadderStep.GIVE_SURPLUS,),
    HostState.CRITICAL: (LadderStep.GIVE_TO_DISTRESS_ONLY,),
    HostState.UNKNOWN: (LadderStep.GIVE_TO_DISTRESS_ONLY, LadderStep.ALERT),
}


def in_order(steps: tuple[LadderStep, ...], state: HostState) -> tuple[LadderStep, ...]:
    """What a state allows, in the ladder's order: what is declared, and what follows from it."""
    allowed = {*steps, *_ALWAYS.get(state, ())}
    return tuple(step for step in LadderStep if step in allowed)
