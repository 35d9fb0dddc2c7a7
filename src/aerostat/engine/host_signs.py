"""What the host's swap says of the host itself: its guests' memory is being missed there.

Available memory alone tells late. A kernel swaps guests out while it still counts a page cache as
available, and what once lies in swap is not missed in that figure when it is needed again.
"""

from dataclasses import dataclass

from aerostat.engine.columns import Memory
from aerostat.engine.host_side import LIMITED_S, OLD_S, SWAP_IN_RATE
from aerostat.model.host import HostMemory
from aerostat.model.host_state import HostState

COMING_S = 10.0
"""For so long what is being read back is expected to go on coming."""
SPAN_S_MIN = 0.9
"""Between two readings of the host's waits."""
WAITING_RATIO = 0.10
"""Of the time, in which somebody on the host waits for memory: with swap traffic, it is short."""
STILL_FACTOR = 0.3
"""A host that is short already stays so until its signs are below this part of the thresholds."""
MEMORY_STATES = (HostState.HARD, HostState.CRITICAL, HostState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWaits:
    """The host's own waits for memory, between two readings."""

    seen_s: float = 0.0
    total_s: float | None = None  # counter
    ratio: float | None = None  # of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSigns:
    """What is being read back from the host's swap for guests, as of the last look at them."""

    swap_in_rate: float = 0.0  # bytes per second, of guests that no limit of their own holds down
    coming_bytes: int = 0  # what that will soon have brought back into RAM


def waits_after(before: HostWaits, memory: HostMemory | None, *, now_s: float) -> HostWaits:
    """The host's waits as of now; a counter that went back, or is missing, begins anew."""
    total_s = None if memory is None else memory.pressure_some_total_s
    if total_s is None:
        return HostWaits(seen_s=now_s)
    if before.total_s is None or total_s < before.total_s:
        return HostWaits(seen_s=now_s, total_s=total_s)
    span_s = now_s - before.seen_s
    if span_s < SPAN_S_MIN:
        return before
    ratio = min(1.0, (total_s - before.total_s) / span_s)
    return HostWaits(seen_s=now_s, total_s=total_s, ratio=ratio)


def host_signs(memory: Memory, *, now_s: float) -> HostSigns:
    """Add up what guests have in the host's swap and get back from there."""
    rate, coming = 0.0, 0
    for i, swapped in enumerate(memory.host_swap_bytes):
        own = memory.host_swap_in_rate[i]
        if swapped <= 0 or own <= 0.0 or now_s - memory.host_seen_s[i] > OLD_S:
            continue
        if now_s - memory.limited_s[i] <= LIMITED_S:
            continue  # its own limit's doing: the host may have plenty
        rate += own
        coming += min(swapped, int(own * COMING_S))
    return HostSigns(swap_in_rate=rate, coming_bytes=coming)


def state_by_swap(
    state: HostState, signs: HostSigns, waits: HostWaits, *, before: HostState
) -> HostState:
    """The host's state, at least soft while guests' memory is missed, and hard where it hurts.

    Waits alone say nothing: a program held at its own limit waits, too.

    Args:
        state: what its available memory says.
        signs: what is read back for guests.
        waits: the host's own.
        before: its state so far.
    """
    was_short = before in (HostState.SOFT, HostState.HARD)
    least_rate = SWAP_IN_RATE * (STILL_FACTOR if was_short else 1.0)
    if state in MEMORY_STATES or signs.swap_in_rate < least_rate:
        return state
    least_ratio = WAITING_RATIO * (STILL_FACTOR if before is HostState.HARD else 1.0)
    hurts = waits.ratio is not None and waits.ratio >= least_ratio
    return HostState.HARD if hurts else HostState.SOFT
