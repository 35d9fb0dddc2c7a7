"""What it would take to change a guest's size: read off its trace and the parameters in force."""

from dataclasses import dataclass

from aerostat.engine.confidence import CONFIDENCE_MIN
from aerostat.engine.distress import AVAILABLE_BYTES, AVAILABLE_RATIO, headroom_bytes
from aerostat.engine.guard import dead_band_bytes
from aerostat.engine.knobs import Knobs, knobs_of
from aerostat.engine.params import EngineParams
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Bound, Reason
from aerostat.policy.params import PolicyName
from aerostat.units import format_duration, format_size

_LIMITED = (
    "A memory limit of its own cgroup counts as its max until it has not been made to wait there "
    "for ten minutes: raise that limit, or lower its max."
)
_FIXED = {
    Reason.HOLD_NOT_RUNNING: "Nothing changes before it runs.",
    Reason.HOLD_MIGRATING: "Nothing changes before it has been migrated or saved.",
    Reason.HOLD_UNREACHABLE: "Nothing changes before its hypervisor answers again.",
    Reason.HOLD_NO_BALLOON: "Nothing can change: it needs a virtio-balloon device.",
    Reason.HOLD_NOT_MANAGED: "Nothing changes while the configuration says managed = false for it.",
    Reason.HOLD_HOST_UNKNOWN: "Nothing changes before the host can be read again.",
}
_FIRST = {
    Reason.HOLD_FIGURES_ABSENT: "Nothing is taken before it reports figures: "
    "that takes a balloon driver in the guest.",
    Reason.HOLD_FIGURES_STALE: "Nothing is taken before its figures are fresh: "
    "at most {age_max} old.",
    Reason.HOLD_UNSURE: "Nothing is taken before {sure} of its figures is sure: "
    "when there are some more of them, and young ones.",
    Reason.HOLD_BLURRED: "Nothing is taken before it has reported once with its balloon at rest.",
    Reason.HOLD_DOUBTED: "Nothing is taken before what its balloon took has come back to the host.",
    Reason.HOLD_BACKING_UP: "Nothing is taken while its disks are being copied.",
    Reason.HOLD_CONFINED: _LIMITED,
    Reason.LOWERED_TO_LIMIT: _LIMITED,
    Reason.HOLD_IN_HOST_SWAP: "Nothing is taken of what lies in the host's swap while the host "
    "itself is not short: it would be read back first.",
    Reason.HOLD_BY_OPERATOR: "Nothing is taken before: aerostat unhold, or the time it was "
    "held for is over.",
    Reason.RELEASED_BY_OPERATOR: "Nothing is taken before: aerostat unhold, or the time it was "
    "released for is over.",
    Reason.HOLD_YIELDED: "It is left to whoever set its target for {yielded} after they last did: "
    "until then it is given memory when it is short of it, and nothing is taken.",
    Reason.HOLD_IN_GRACE: "Nothing is taken in its first {grace}.",
    Reason.HOLD_OUTCOME_UNKNOWN: "Nothing is sent before it has been read again.",
    Reason.NUDGED_AT_MAX: "Goes on as soon as its balloon says what it holds.",
    Reason.STALL_ACCEPTED: "Nothing is taken for a while: its balloon did not move when asked.",
    Reason.RELEASED_FOR_SHUTDOWN: "Nothing is taken for {shutdown} after such a request.",
    Reason.HOLD_UNDER_PRESSURE: "Nothing is taken before it has been without pressure for {quiet}.",
}
_BOUNDS = {
    Bound.MIN: "its min of {min}",
    Bound.MAX: "its max of {max}",
    Bound.FLOOR: "the least it is left with",
    Bound.SUPPLY: "what there is to give",
    Bound.STEP: "how much may be taken at once",
    Bound.FRESHNESS: "what is known of it: nothing fresh",
    Bound.PRESSURE: "pressure in the guest",
    Bound.DEAD_BAND: "changes so small are not made",
    Bound.STALL: "its balloon, which does not move",
    Bound.OPERATOR: "the operator's word",
    Bound.HOST_SWAP: "what of it lies in the host's swap",
    Bound.LIMIT: "a memory limit of its own cgroup",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """Thresholds at which a guest's size changes; ``None``: there is none, or it is not known."""

    grows_below_available_bytes: int | None = None
    released_below_available_bytes: int | None = None
    headroom_bytes: int | None = None
    spare_bytes: int | None = None  # free in it beyond its headroom: goes first
    floor_bytes: int | None = None  # the least it is left with
    sentences: tuple[str, ...] = ()


def prospects(trace: GuestTrace, params: EngineParams) -> Prospects:
    """Say what would make the guest grow, and what would make it give."""
    if trace.reason in _FIXED:
        return Prospects(sentences=(_FIXED[trace.reason],))
    numbers = _numbers(trace, params)
    quiet = format_duration(params.guard.distress_quiet_s)
    sentences = [_first(trace.reason, params)]
    if trace.reason is Reason.HOLD_YIELDED:
        pass  # what would move it otherwise does not now
    elif params.policy is PolicyName.ADAPTIVE:
        sentences += [_growing(trace, numbers), _giving(trace, numbers, quiet)]
    else:
        sentences.append(
            f"Its size follows from the policy {params.policy.value}, "
            "which looks at more than this guest."
        )
    return Prospects(
        grows_below_available_bytes=numbers.grows_below_available_bytes,
        released_below_available_bytes=numbers.released_below_available_bytes,
        headroom_bytes=numbers.headroom_bytes,
        spare_bytes=numbers.spare_bytes,
        floor_bytes=numbers.floor_bytes,
        sentences=tuple(sentence for sentence in sentences if sentence),
    )


def bound_words(trace: GuestTrace) -> str | None:
    """What kept the target from being what the policy wished; None: nothing did."""
    words = _BOUNDS.get(trace.bound)
    if words is None:
        return None
    return words.format(min=_size(trace.min_bytes), max=_size(trace.max_bytes))


def _numbers(trace: GuestTrace, params: EngineParams) -> Prospects:
    if trace.max_bytes is None:
        return Prospects()
    knobs = knobs_of(params)
    headroom = trace.headroom_bytes
    if headroom is None:  # written by an earlier version
        headroom = headroom_bytes(trace.max_bytes, knobs)
    holds = trace.actual_bytes if trace.target_bytes is None else trace.target_bytes
    is_full = holds is not None and holds >= trace.max_bytes
    grows_below = headroom - dead_band_bytes(trace.max_bytes, knobs)
    return Prospects(
        grows_below_available_bytes=None if is_full else max(0, grows_below),
        released_below_available_bytes=None if is_full else _released_below(trace),
        headroom_bytes=headroom,
        spare_bytes=_spare(trace, holds, headroom),
        floor_bytes=_floor(trace, trace.max_bytes, knobs),
    )


def _spare(trace: GuestTrace, holds: int | None, headroom: int) -> int | None:
    if trace.free_bytes is None or trace.used_bytes is None or holds is None:
        return None
    # What lay free in it when it last could be told may have been taken since.
    return max(0, min(trace.free_bytes, holds - trace.used_bytes) - headroom)


def _released_below(trace: GuestTrace) -> int | None:
    if trace.actual_bytes is None:
        return None
    return max(AVAILABLE_BYTES, int(AVAILABLE_RATIO * trace.actual_bytes))


def _floor(trace: GuestTrace, max_bytes: int, knobs: Knobs) -> int:
    if trace.floor_bytes is not None:
        return trace.floor_bytes
    # Written by an earlier version.
    return max(trace.min_bytes or 0, min(knobs.guest_floor_bytes, max_bytes))


def _first(reason: Reason, params: EngineParams) -> str:
    guard = params.guard
    return _FIRST.get(reason, "").format(
        age_max=format_duration(guard.figures_age_max_s),
        grace=format_duration(guard.grace_s),
        sure=f"{CONFIDENCE_MIN:.0%}",
        shutdown=format_duration(guard.shutdown_s),
        yielded=format_duration(guard.yield_s),
        quiet=format_duration(guard.distress_quiet_s),
    )


def _growing(trace: GuestTrace, numbers: Prospects) -> str:
    if numbers.headroom_bytes is None:
        return "When it grows cannot be said: its max is not known."
    if numbers.grows_below_available_bytes is None:
        return f"It has its max of {_size(trace.max_bytes)} and cannot grow."
    if trace.reason is Reason.HOLD_WAITING_FOR_MEMORY:
        return "It grows as soon as others have given or the host has more to give."
    available, least = trace.available_bytes, numbers.grows_below_available_bytes
    if available is not None and available < least and trace.reason is Reason.HOLD_HAS_ENOUGH:
        return (
            "Little is available in it, and that does not hurt it so far: it grows when it reads "
            "pages back from swap, and when there is enough for everybody."
        )
    return (
        f"It grows when less than {format_size(least)} is available in it, or from what nobody "
        f"needs. When less than {_size(numbers.released_below_available_bytes)} is while it works, "
        f"or when it swaps, it gets all that can be given, up to its max of "
        f"{_size(trace.max_bytes)}."
    )


def _giving(trace: GuestTrace, numbers: Prospects, quiet: str) -> str:
    floor, holds = numbers.floor_bytes, trace.target_bytes or trace.actual_bytes
    if floor is None or holds is None:
        return ""
    if trace.is_distressed:
        return f"Nothing is taken while it is short of memory, nor for {quiet} after."
    if holds <= floor:
        return f"It gives nothing: {format_size(floor)} is the least it is left with."
    words = f"It gives when others or the host need memory, but keeps {format_size(floor)}"
    if numbers.spare_bytes is not None:
        words += (
            f": {format_size(numbers.spare_bytes)} lie free beyond its headroom of "
            f"{_size(numbers.headroom_bytes)} and go first, the rest in small steps"
        )
    return words + "."


def _size(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else format_size(size_bytes)
