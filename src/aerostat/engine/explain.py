"""Decisions in words, read off the trace: nothing is computed a second time."""

from aerostat.model.effect import Effect
from aerostat.model.events import TechniqueAct, TechniqueUsed
from aerostat.model.host_state import LadderStep
from aerostat.model.plan import GuestTrace, HostTrace
from aerostat.model.reasons import Bound, Reason
from aerostat.units import MIB, format_duration, format_size

_WORDS = {
    Reason.RELEASED_FOR_DISTRESS: "released: it is short of memory ({signs})",
    Reason.GROWN_TO_DEMAND: "grown to its demand of {demand}",
    Reason.GROWN_FROM_SURPLUS: "given memory that nobody needs",
    Reason.GROWN_FOR_CACHE: "given memory that nobody needs, to see whether it reads less of its "
    "files again",
    Reason.RAISED_TO_MIN: "raised towards its min of {min}",
    Reason.LOWERED_TO_MAX: "lowered towards its max of {max}",
    Reason.TAKEN_FOR_OTHERS: "gives memory to others: it uses {used}",
    Reason.TAKEN_FOR_HOST: "gives memory to the host: it uses {used}",
    Reason.HELD_FIXED: "held at a fixed size",
    Reason.RELEASED_FOR_SHUTDOWN: "released: it was asked to shut down, which a balloon delays",
    Reason.RELEASED_ON_RESET: "released: it was reset, and a fresh kernel needs room to boot",
    Reason.RELEASED_ON_STOP: "released: the daemon stops",
    Reason.RELEASED_ON_FAILURES: "released: the daemon's rounds failed again and again",
    Reason.NUDGED_AT_MAX: "still shows less than its max: asked for a trifle, to hear its size",
    Reason.STALL_ACCEPTED: "its balloon does not move: asked for no more than it gave",
    Reason.HOLD_HAS_ENOUGH: "has what it needs ({demand})",
    Reason.HOLD_WITHIN_DEAD_BAND: "stays: the change would be too small to be worth it",
    Reason.HOLD_AT_FLOOR: "stays, although the host is short: it has nothing it can spare",
    Reason.HOLD_WAITING_FOR_MEMORY: "waits for others to give: it wants {wish} ({signs})",
    Reason.HOLD_UNDER_PRESSURE: "keeps its memory: it is under pressure itself ({signs})",
    Reason.HOLD_FIGURES_ABSENT: "left alone: it has given no figures",
    Reason.HOLD_FIGURES_STALE: "left alone: its figures are {age} old",
    Reason.HOLD_UNSURE: "left alone: too little of its figures is sure ({confidence})",
    Reason.HOLD_BLURRED: "left alone: its balloon moved whenever it reported, and what it uses "
    "cannot be told",
    Reason.HOLD_IN_GRACE: "left alone: it has only just appeared",
    Reason.HOLD_COOLDOWN: "stays for now: the last change has to show its effect first",
    Reason.HOLD_OSCILLATING: "left alone for a minute: it was moved to and fro too often",
    Reason.HOLD_NOT_RUNNING: "left alone: it is not running",
    Reason.HOLD_MIGRATING: "left alone: it is being migrated or saved",
    Reason.HOLD_BACKING_UP: "keeps its memory: it is being backed up, and would swap meanwhile",
    Reason.HOLD_UNREACHABLE: "left alone: it does not answer",
    Reason.HOLD_NO_BALLOON: "left alone: it has no balloon device",
    Reason.HOLD_NOT_MANAGED: "left alone: the configuration says so",
    Reason.HOLD_OUTCOME_UNKNOWN: "being read again: the last command got no answer",
    Reason.HOLD_HOST_UNKNOWN: "left alone: the host could not be read",
    Reason.HOLD_DOUBTED: "left alone: the host holds much more for it than it says it has",
    Reason.HOLD_IN_HOST_SWAP: "keeps its memory: {swapped} of it lie in the host's swap, and "
    "would have to be read back to be taken",
    Reason.HOLD_CONFINED: "stays: a memory limit of its own cgroup holds no more than {max}, so a "
    "greater target cannot help",
    Reason.HOLD_PINNED: "keeps its memory: it is locked in the host, and a balloon would give "
    "none of it back",
    Reason.HOLD_LEFT_TO_HOST: "keeps what it uses: the ladder takes no more of it by balloon",
    Reason.RELEASED_BY_OPERATOR: "released: the operator said so (aerostat release)",
    Reason.HOLD_BY_OPERATOR: "keeps its memory: the operator said so (aerostat hold or release)",
    Reason.HOLD_YIELDED: "left alone for a while: somebody else has set its target",
    Reason.CALLED_BACK: "what it was given and has not got yet is called back: it is needed "
    "elsewhere, and {used} are used",
    Reason.LOWERED_TO_LIMIT: "lowered towards {max}, which a memory limit of its own cgroup holds: "
    "the host pages out what is beyond",
}

WORTH_BYTES = 4 * MIB
WORTH_RATE = MIB // 4
WORTH_RATIO = 0.01
"""Less that the host did to a VM is not told."""
UNSPLIT_WORTH_BYTES = 16 * MIB
"""Nor less of what it gave that the host has not got; a few huge pages in part are usual."""

LACKS_BYTES, LACKS_DIVISOR = 16 * MIB, 16
"""A guest that wants so much more, and a sixteenth of its max, is not told that it is a trifle."""

_BOUND_WORDS = {
    Bound.MIN: "no lower than its min of {min}",
    Bound.FLOOR: "no lower than what it uses and a reserve",
    Bound.SUPPLY: "as far as there is memory to give now",
    Bound.STEP: "in small steps",
}


def explain(trace: GuestTrace) -> str:
    """Say in one sentence why the guest has its target."""
    words = _words(trace).format_map(_Figures(trace))
    if trace.is_owed:
        words += f"; its share by weight is {_size(trace.due_bytes)}, but others hold it"
    bound = _BOUND_WORDS.get(trace.bound)
    if bound is not None:
        words += ", " + bound.format_map(_Figures(trace))
    return _move(trace) + words


class _Figures(dict[str, str]):
    """A guest's figures for people, each written when a sentence has it: most have one at most."""

    def __init__(self, trace: GuestTrace) -> None:
        super().__init__()
        self._trace = trace

    def __missing__(self, name: str) -> str:
        trace = self._trace
        match name:
            case "age":
                age_s = trace.figures_age_s
                return "unknown" if age_s is None else format_duration(age_s)
            case "confidence":
                return "unknown" if trace.confidence is None else f"{trace.confidence:.0%}"
            case "signs":
                return _signs(trace)
            case "swapped":
                return _size(trace.host_swap_bytes)
            case _:  # demand, used, min, max, wish
                return _size(getattr(trace, f"{name}_bytes"))


def explain_effect(host: HostTrace) -> str:
    """Say whether the daemon does any good, and if not, what to check."""
    match host.effect:
        case Effect.ORDERS_MOVE_NOTHING:
            return (
                f"{host.futile_rounds} rounds of targets in a row moved no balloon, and the host "
                "got nothing back. Check that the balloon drivers of the VMs are loaded "
                "(aerostat doctor), that nobody else sets targets, and that targets are accepted"
            )
        case Effect.NOTHING_IS_ORDERED:
            return (
                "the host is short of memory, VMs report figures, and no target has been sent for "
                f"{format_duration(host.idle_short_s)}. Check why each VM keeps what it has "
                "(aerostat explain VM): figures that are wrong, a min that is too high, or not "
                "managed"
            )
        case Effect.WORKING:
            return "what is ordered has its effect, or nothing had to be"


_TECHNIQUES = {
    LadderStep.MERGE: "merging of identical pages",
    LadderStep.SPLIT: "splitting of huge pages that a VM gave in part",
    LadderStep.COMPRESS: "compression of guests' memory",
    LadderStep.SWAP: "swapping of guests' memory",
}


def technique_words(event: TechniqueUsed) -> str:
    """Say what the host did with a technique of its own, and what came of it."""
    what = _TECHNIQUES.get(event.step, event.step.value)
    detail = f": {event.detail}" if event.detail else ""
    match event.act:
        case TechniqueAct.SWITCHED_ON:
            return f"{what} is on{detail}"
        case TechniqueAct.PUT_BACK:
            return f"{what} is as it was before Aerostat{detail}"
        case TechniqueAct.TOOK:
            took = _size(event.taken_bytes)
            return f"the host took {took} of {_size(event.asked_bytes)} of it by {event.step.value}"
        case TechniqueAct.FAILED:
            return f"{what} failed{detail}"


def _words(trace: GuestTrace) -> str:
    holds, demand = trace.target_bytes or trace.actual_bytes, trace.demand_bytes
    if trace.reason is Reason.HOLD_HAS_ENOUGH and demand and holds and holds < demand:
        # Demand reaches further than need: to what it used lately, and may soon use again.
        return "has what it needs now; for all it may soon use it would have {demand}"
    lacks = demand - holds if demand and holds else 0
    is_much = lacks >= max(LACKS_BYTES, (trace.max_bytes or 0) // LACKS_DIVISOR)
    if trace.reason is Reason.HOLD_WITHIN_DEAD_BAND and is_much:
        return "stays: of {demand} that it would have, too little is to be had for a change"
    is_at_max = holds is not None and trace.max_bytes is not None and holds >= trace.max_bytes
    is_same = trace.target_before_bytes == trace.target_bytes
    if trace.reason is Reason.RELEASED_FOR_DISTRESS and is_at_max and is_same:
        return "is short of memory ({signs}), and has its max of {max}"
    return _WORDS[trace.reason]


def _move(trace: GuestTrace) -> str:
    before = trace.actual_bytes if trace.target_before_bytes is None else trace.target_before_bytes
    after = trace.target_bytes
    if before is None or after is None or before == after:
        return ""
    return f"{format_size(before)} -> {format_size(after)}: "


def _signs(trace: GuestTrace) -> str:
    """The figures that show pressure, or what is available where none stands out."""
    signs = []
    if trace.swap_in_bytes_per_s:
        signs.append(f"swaps in {format_size(int(trace.swap_in_bytes_per_s))}/s")
    if trace.swap_out_bytes_per_s:
        signs.append(f"swaps out {format_size(int(trace.swap_out_bytes_per_s))}/s")
    if trace.pressure_some_ratio:
        signs.append(f"stalled {trace.pressure_some_ratio:.0%} of the time")
    if trace.refaults_per_s:
        signs.append(f"misses {trace.refaults_per_s:.0f} pages/s of its cache")
    if trace.available_bytes is not None:
        signs.append(f"{format_size(trace.available_bytes)} available")
    return ", ".join(signs) or "no figures"


def host_words(trace: GuestTrace) -> str:
    """What the host did to the VM's memory lately; empty: nothing worth a word."""
    words = []
    if trace.host_swapped_out_bytes and trace.host_swapped_out_bytes >= WORTH_BYTES:
        went = format_size(trace.host_swapped_out_bytes)
        words.append(f"the host swapped {went} of it out in the last minute or so")
    if trace.host_swap_in_bytes_per_s and trace.host_swap_in_bytes_per_s >= WORTH_RATE:
        came = format_size(int(trace.host_swap_in_bytes_per_s))
        words.append(f"the host reads {came}/s of it back")
    if trace.host_swap_bytes and trace.host_swap_bytes >= WORTH_BYTES:
        words.append(f"{format_size(trace.host_swap_bytes)} of it lie in the host's swap")
    if trace.host_waiting_ratio and trace.host_waiting_ratio >= WORTH_RATIO:
        words.append(f"it waits {trace.host_waiting_ratio:.0%} of the time for the host's memory")
    if trace.host_rising_bytes:
        rising = format_size(trace.host_rising_bytes)
        words.append(f"it tells nothing of itself and is about to take {rising} more")
    if trace.host_unsplit_bytes and trace.host_unsplit_bytes >= UNSPLIT_WORTH_BYTES:
        held = format_size(trace.host_unsplit_bytes)
        words.append(f"{held} of what it gave are still held in huge pages that nobody has split")
    return ", ".join(words)


def _size(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else format_size(size_bytes)
