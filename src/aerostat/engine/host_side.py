"""What the host does to a VM: its swap, its growth and its limits, from figures of its process.

These figures are the host's own, and so trusted; a guest has no part in them. They say what no
guest can see: memory that lies in the host's swap frees no RAM when it is taken, and has to be
read back first (a kernel zeroes what it gives its balloon); a VM whose own cgroup holds it down
is not helped by a greater target; and one that tells nothing of itself still shows how fast it
grows.
"""

from aerostat.engine.columns import Round
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB

LOOK_S = 0.9
"""Between two looks at a VM's process: rates over less are noise, and cost every round."""
MINUTE_S = 60.0
"""Time constant of forgetting what was swapped out: about what the last minute brought."""
OLD_S = 10.0
"""Figures of a process that could not be read for so long say nothing any more."""
SWAPPED_BYTES = 16 * MIB
SWAPPED_DIVISOR = 16
"""Less of a VM than this, or than this part of it, in the host's swap does not matter."""
SWAP_IN_RATE = 1 * MIB
"""Bytes a second that the host reads back for a VM, at which its memory is missed there."""
WAITING_RATIO = 0.10
"""Of the time, in which a thread of the VM waits for the host's memory: no small stalls."""
LIMITED_S = 600.0
"""For so long after it was last made to wait at a limit of its own, that limit binds its target."""
PROCESS_BYTES = 64 * MIB
"""A VM's process holds so much beside its guest's memory, at least: 67-120 MiB were seen."""
RISING_S = 10.0
"""For so long a VM that tells nothing is expected to grow as it does."""
RISING_RATE = 4 * MIB
"""Bytes a second of growth in the host's measure that are more than a process breathing."""
GROWTH_SPAN_S_MIN = 0.4


def believe_host_side(r: Round, i: int) -> None:
    """Fold what the host says of guest ``i``'s process into its memory."""
    figures, memory = r.figures, r.memory
    span_s = r.now_s - memory.host_seen_s[i]
    if span_s < LOOK_S or figures.held_bytes[i] == ABSENT:
        return
    memory.host_seen_s[i] = r.now_s
    _believe_growth(r, i)
    before = memory.host_swap_bytes[i]
    now = figures.host_swap_bytes[i]
    read = figures.host_swap_in_bytes[i]
    read_before = memory.host_swap_in_bytes[i]
    if now > 0 or before > 0 or read != read_before:
        _believe_swap(r, i, span_s)
    waited, waited_before = figures.host_waited_s[i], memory.host_waited_s[i]
    memory.host_waiting_ratio[i] = -1.0
    if 0.0 <= waited_before <= waited:
        memory.host_waiting_ratio[i] = min(1.0, (waited - waited_before) / span_s)
    memory.host_waited_s[i] = waited
    hits, hits_before = figures.limit_hits[i], memory.limit_hits[i]
    if hits_before != ABSENT and hits > hits_before and is_missing_memory(r, i):
        memory.limited_s[i] = r.now_s
        memory.limit_fits_bytes[i] = _fitting_bytes(r, i)
    memory.limit_hits[i] = hits


def _believe_growth(r: Round, i: int) -> None:
    """How fast the host's measure rises; one that is read slowly is as old as it says."""
    figures, memory = r.figures, r.memory
    read_s = r.now_s - figures.held_age_s[i]
    span_s = read_s - memory.host_held_s[i]
    if span_s < GROWTH_SPAN_S_MIN:
        return
    before = memory.host_held_bytes[i]
    rise = figures.held_bytes[i] - before if before != ABSENT else 0
    memory.host_growth_rate[i] = max(0.0, rise / span_s)
    memory.host_held_bytes[i] = figures.held_bytes[i]
    memory.host_held_s[i] = read_s


def _believe_swap(r: Round, i: int, span_s: float) -> None:
    """What went out and came in; counters that fall or vanish begin anew."""
    figures, memory = r.figures, r.memory
    now, before = figures.host_swap_bytes[i], memory.host_swap_bytes[i]
    read, read_before = figures.host_swap_in_bytes[i], memory.host_swap_in_bytes[i]
    came = 0
    memory.host_swap_in_rate[i] = -1.0
    if read_before != ABSENT and read >= read_before:
        came = read - read_before
        memory.host_swap_in_rate[i] = came / span_s
    went = 0
    if ABSENT not in (now, before):
        went = max(0, now - before + came)
    faded = memory.host_swap_out_bytes[i] * (MINUTE_S / (MINUTE_S + span_s))
    memory.host_swap_out_bytes[i] = faded + went
    memory.host_swap_bytes[i] = now
    memory.host_swap_in_bytes[i] = read


def judge_host_side(r: Round, i: int) -> None:
    """Estimate what follows from it; ``is_usable`` and ``ordered_bytes`` are known by now."""
    out, memory, knobs = r.estimates, r.memory, r.knobs
    out.is_in_host_swap[i] = 0
    out.is_confined[i] = 0
    out.rising_bytes[i] = 0
    if knobs.heeds_limits == 1 and r.now_s - memory.limited_s[i] <= LIMITED_S:
        _confine(r, i)
    if r.now_s - memory.host_seen_s[i] > OLD_S:
        return
    if knobs.spares_swapped == 1:
        is_there = is_mostly_there(memory.host_swap_bytes[i], out.ordered_bytes[i])
        out.is_in_host_swap[i] = 0 if is_there else 1
    if knobs.counts_rising == 1 and out.is_usable[i] == 0:
        out.rising_bytes[i] = _rising_bytes(r, i)


def _fitting_bytes(r: Round, i: int) -> int:
    """The greatest target that fits its limit: it is at that limit now, so what it holds tells.

    How much of this is its process's own cannot be read; at least what is beyond the guest's.
    """
    figures = r.figures
    held = figures.held_bytes[i]
    beside = held + max(0, figures.host_swap_bytes[i]) - max(0, figures.actual_bytes[i])
    return max(1, held - max(beside, PROCESS_BYTES))


def _confine(r: Round, i: int) -> None:
    """What its limit cannot hold is no memory it may have, whatever its max; min stays its min.

    The host would page out whatever the guest touches beyond, and know less than the guest of what
    it can do without.
    """
    fits = max(r.memory.limit_fits_bytes[i], r.figures.min_bytes[i])
    if fits <= r.figures.max_bytes[i]:
        r.figures.max_bytes[i] = fits
        r.estimates.is_confined[i] = 1


def is_mostly_there(swapped_bytes: int, ordered_bytes: int) -> bool:
    """Whether a VM's memory is in RAM, but for a part that is not worth a word.

    Which of its pages lie in swap no guest can know: a balloon takes them as they come.
    """
    return swapped_bytes <= max(SWAPPED_BYTES, ordered_bytes // SWAPPED_DIVISOR)


def is_missing_memory(r: Round, i: int) -> bool:
    """Whether the host makes it wait: its threads say so, or pages are being read back for it."""
    memory = r.memory
    waits = memory.host_waiting_ratio[i] >= WAITING_RATIO
    return waits or memory.host_swap_in_rate[i] >= SWAP_IN_RATE


def _rising_bytes(r: Round, i: int) -> int:
    """What it is about to take of the host and nobody has counted yet.

    Where every byte it may hold is counted against the supply, touched or not, nothing is.
    """
    memory = r.memory
    rate = memory.host_growth_rate[i]
    if r.knobs.is_elastic == 0 or rate < RISING_RATE:
        return 0
    room = r.estimates.committed_bytes[i] - memory.host_held_bytes[i]
    return min(int(rate * RISING_S), max(0, room))
