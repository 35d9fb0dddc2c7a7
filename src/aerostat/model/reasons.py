"""Why a guest's target is what it is: stable codes, kept for ever in recordings."""

from enum import StrEnum


class Reason(StrEnum):
    """The rule that produced a guest's target. Adding is fine; renaming breaks recordings."""

    RELEASED_FOR_DISTRESS = "released_for_distress"
    GROWN_TO_DEMAND = "grown_to_demand"
    GROWN_FROM_SURPLUS = "grown_from_surplus"
    RAISED_TO_MIN = "raised_to_min"
    LOWERED_TO_MAX = "lowered_to_max"
    TAKEN_FOR_OTHERS = "taken_for_others"
    TAKEN_FOR_HOST = "taken_for_host"
    HELD_FIXED = "held_fixed"  # the policy holds guests at fixed sizes
    RELEASED_FOR_SHUTDOWN = "released_for_shutdown"  # asked to shut down: a full balloon delays it
    RELEASED_ON_RESET = "released_on_reset"
    RELEASED_ON_STOP = "released_on_stop"
    RELEASED_ON_FAILURES = "released_on_failures"  # the daemon's rounds fail: fail open
    STALL_ACCEPTED = "stall_accepted"  # the balloon does not move: the target was set to `actual`
    HOLD_HAS_ENOUGH = "hold_has_enough"
    HOLD_WITHIN_DEAD_BAND = "hold_within_dead_band"
    HOLD_AT_FLOOR = "hold_at_floor"  # would be taken from, but has nothing it can spare
    HOLD_WAITING_FOR_MEMORY = "hold_waiting_for_memory"  # others give first
    HOLD_UNDER_PRESSURE = "hold_under_pressure"  # would have been taken from, but is short itself
    HOLD_FIGURES_ABSENT = "hold_figures_absent"
    HOLD_FIGURES_STALE = "hold_figures_stale"
    HOLD_IN_GRACE = "hold_in_grace"  # just booted, resumed or adopted
    HOLD_COOLDOWN = "hold_cooldown"
    HOLD_OSCILLATING = "hold_oscillating"  # moved to and fro too often
    HOLD_NOT_RUNNING = "hold_not_running"
    HOLD_MIGRATING = "hold_migrating"
    HOLD_BACKING_UP = "hold_backing_up"  # would be taken from, but its disks are being copied
    HOLD_UNREACHABLE = "hold_unreachable"
    HOLD_NO_BALLOON = "hold_no_balloon"
    HOLD_NOT_MANAGED = "hold_not_managed"
    HOLD_OUTCOME_UNKNOWN = "hold_outcome_unknown"
    HOLD_HOST_UNKNOWN = "hold_host_unknown"
    HOLD_UNSURE = "hold_unsure"  # too little of its figures is sure
    HOLD_DOUBTED = "hold_doubted"  # the host holds much more for it than it says it has
    HOLD_IN_HOST_SWAP = "hold_in_host_swap"  # what it could give lies in the host's swap
    HOLD_CONFINED = "hold_confined"  # it would get more, but a limit of its own cgroup is reached
    LOWERED_TO_LIMIT = "lowered_to_limit"  # to what fits a memory limit of its own cgroup
    HOLD_PINNED = "hold_pinned"  # its memory is locked in the host: a balloon gives nothing back
    HOLD_LEFT_TO_HOST = "hold_left_to_host"  # the ladder takes no more of it by balloon
    RELEASED_BY_OPERATOR = "released_by_operator"  # somebody said: release
    HOLD_BY_OPERATOR = "hold_by_operator"  # would be taken from, but somebody said: hold
    HOLD_YIELDED = "hold_yielded"  # somebody else set its target: it is left to them for a while
    NUDGED_AT_MAX = "nudged_at_max"  # its `actual` may be from before a reset
    HOLD_BLURRED = "hold_blurred"  # every sample for long came while its balloon moved
    CALLED_BACK = "called_back"  # what it was given had not all come: the rest is needed elsewhere
    GROWN_FOR_CACHE = "grown_for_cache"  # to see whether it reads less from its disks


class Bound(StrEnum):
    """What kept the target from being what the policy wished."""

    NONE = "none"
    MIN = "min"
    MAX = "max"
    FLOOR = "floor"  # used memory plus reserve, or the least a guest's system can live in
    SUPPLY = "supply"
    STEP = "step"
    FRESHNESS = "freshness"
    PRESSURE = "pressure"
    DEAD_BAND = "dead_band"
    STALL = "stall"
    OPERATOR = "operator"
    HOST_SWAP = "host_swap"  # what of it lies in the host's swap
    LIMIT = "limit"  # a memory limit of its own cgroup
