"""Pace: what all guests of a host are asked for together, in a second.

Each take is small for its guest; those of hundreds of guests at once are not for the host, whose
kernel has to free all of it, and whose disks carry what guests push out. What they got wrong would
show everywhere at once, too.
"""

from aerostat.engine import codes
from aerostat.engine.believe import PERIOD_S_MIN
from aerostat.engine.columns import Round
from aerostat.engine.guard import TARGET_GRAIN_BYTES, hold, note_take
from aerostat.policy.water import LEVEL_SCALE, fill


def pace(r: Round, first: int, end: int) -> None:
    """Cut this round's takes of one host to what may be taken now; then remember them.

    Where they are too much together, the greatest are cut, all to the same size: whoever is asked
    for little is asked for all of it, and guests are not told apart by anything but that.
    """
    taken, period_s = 0, r.knobs.figures_age_s_max
    for i in range(first, end):
        r.wants[i] = 0
        if r.decision.target_bytes[i] < r.estimates.ordered_bytes[i]:  # few are
            r.wants[i] = _take_bytes(r, i)
            taken += r.wants[i]
            period_s = min(period_s, max(r.memory.sample_period_s[i], PERIOD_S_MIN))
    if taken == 0:
        return
    if r.knobs.paces == 1:
        most = int(r.knobs.host_step_rate_max * period_s)
        before = _taken_bytes(r, first, end, period_s)
        if taken > most - before:
            # Of thousands of guests at once, as little as can be, but not nothing for ever.
            _cut(r, first, end, max(0, most - before), TARGET_GRAIN_BYTES if before == 0 else 0)
    for i in range(first, end):
        if r.wants[i] > 0 and _take_bytes(r, i) > 0:
            note_take(r, i)


def _take_bytes(r: Round, i: int) -> int:
    """What is taken of it in this round; calling back what has not arrived takes nothing."""
    if r.knobs.is_guarded == 0 or r.decision.reason[i] == codes.CALLED_BACK:
        return 0
    return max(0, r.estimates.ordered_bytes[i] - r.decision.target_bytes[i])


def _taken_bytes(r: Round, first: int, end: int, period_s: float) -> int:
    """What was taken of them all in the last period."""
    taken, memory = 0, r.memory
    for i in range(first, end):
        if r.now_s - memory.take_s[i] < period_s:
            taken += memory.took_bytes[i]
    return taken


def _cut(r: Round, first: int, end: int, left: int, least: int) -> None:
    for i in range(first, end):
        r.grants[i] = 0
        r.desk.weight[i] = LEVEL_SCALE  # a level is a byte: found in fewest turns
    fill(r.grants, r.wants, r.desk.weight, first, end, left)
    for i in range(first, end):
        if r.grants[i] >= r.wants[i]:
            continue
        ordered = r.estimates.ordered_bytes[i]
        less = max(least, r.grants[i] // TARGET_GRAIN_BYTES * TARGET_GRAIN_BYTES)
        if less == 0:
            hold(r.decision, i, ordered, codes.COOLDOWN, codes.B_STEP)
        else:
            r.decision.target_bytes[i] = ordered - less
            r.decision.bound[i] = codes.B_STEP
