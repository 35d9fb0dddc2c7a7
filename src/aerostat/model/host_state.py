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
    TAKE_FREE = "take_free"  # what lies free in guests
    TAKE_BY_WEIGHT = "take_by_weight"  # what guests use for something, from calm ones, in steps
    GIVE_TO_DISTRESS_ONLY = "give_to_distress_only"
    REFUSE_STARTS = "refuse_starts"
    ALERT = "alert"


OWED_STEPS = (LadderStep.REFUSE_STARTS, LadderStep.ALERT)
"""Due in any state while a guest in distress lacks its share by weight and nobody can give."""

LADDER = {
    HostState.COMFORTABLE: (LadderStep.GIVE_SURPLUS, LadderStep.TAKE_FREE),
    HostState.SOFT: (LadderStep.TAKE_FREE, LadderStep.TAKE_BY_WEIGHT),
    HostState.HARD: (
        LadderStep.TAKE_FREE,
        LadderStep.TAKE_BY_WEIGHT,
        LadderStep.REFUSE_STARTS,
    ),
    HostState.CRITICAL: (
        LadderStep.TAKE_FREE,
        LadderStep.TAKE_BY_WEIGHT,
        LadderStep.GIVE_TO_DISTRESS_ONLY,
        LadderStep.REFUSE_STARTS,
        LadderStep.ALERT,
    ),
    HostState.UNKNOWN: (LadderStep.GIVE_TO_DISTRESS_ONLY, LadderStep.ALERT),
}
