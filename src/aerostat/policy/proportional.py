"""``proportional``: everybody gets the same fraction of its range, as Xen's squeezed does it.

Source: xapi-project ``squeezed``, ``lib/squeeze.ml``, and its design document "Memory ballooning"
in the xapi documentation. Restated here in our own words.

Rule: what the host would have free if every active guest shrank to its min, less what shall stay
free, is spread so that ``(target - min) / (max - min)`` is the same for all. While any guest has
to give, only the giving ones are told; memory is handed out once it is there. A guest with work
outstanding that has not moved towards its target for more than 5 s is stuck and left out of the
plan; moving clears it. Every 10 s it is checked whether targets would change; from then on it acts
every second until all active guests are where they should be. Each time it starts anew, what it
knew is forgotten.

Known faults: rewards guests that refuse, because the others pay for them; a page of movement in 5
s counts as active; a guest that rested for more than 5 s counts as stuck the moment it is given
something to do, until it moves; nothing is known of a guest's need, so an idle guest gets the same
fraction as a thrashing one; a guest below its min never comes into the sum of what can be freed.

Approximated: Xen's free memory is the host's *available* memory here. On Xen every target is also
a hard cap, and a stuck guest's is clipped to what it holds; a balloon has no such cap.
Reservations for guests about to start belong to admission, not to this policy.
"""

from typing import NamedTuple

from aerostat.policy.baseline import GuestsView, HostView, is_placeable, keep_all
from aerostat.policy.columns import ABSENT, FloatColumn, IntColumn, copied, filled
from aerostat.units import KIB, MIB

PERIOD_S = 1.0
CHECK_S = 10.0
STUCK_S = 5.0
WANTED_FREE_BYTES = 72 * MIB
INACCURACY_BYTES = 4 * KIB
"""By how much a balloon may miss its target and count as having arrived."""
_TICK_TOLERANCE_S = 0.5 * PERIOD_S
"""A round that comes a little early is still the one that was due."""


class ProportionalMemory(NamedTuple):
    """One entry a guest; the host's two are repeated in each, so that rows can be carried along."""

    actual_bytes: IntColumn  # when last looked at; ABSENT: not since it began to act
    progress_s: FloatColumn  # when it last moved towards its target
    is_stuck: IntColumn
    is_acting: IntColumn  # of the host
    checked_s: FloatColumn  # of the host


def new_memory(count: int) -> ProportionalMemory:
    """Memory of guests nobody has seen yet; new ones count as moving."""
    return ProportionalMemory(
        actual_bytes=[ABSENT] * count,
        progress_s=[float(ABSENT)] * count,
        is_stuck=[0] * count,
        is_acting=[0] * count,
        checked_s=[float(ABSENT)] * count,
    )


def decide(
    host: HostView, guests: GuestsView, memory: ProportionalMemory, out_target: IntColumn
) -> None:
    """Write a target for every guest; without the host's figures nothing moves."""
    keep_all(guests, out_target)
    if host.available_bytes == ABSENT or not _is_due(memory, now_s=host.now_s):
        return
    count = len(out_target)
    is_active = filled(0, count)
    for i in range(count):
        watch(guests, memory, i, now_s=host.now_s)
        is_active[i] = 1 if is_placeable(guests, i) and memory.is_stuck[i] == 0 else 0
    ideal = proportional_targets(
        guests,
        is_active,
        host_free_bytes=host.available_bytes,
        wanted_free_bytes=WANTED_FREE_BYTES,
    )
    acting = _has_work(guests, is_active, ideal)
    for i in range(count):
        memory.is_acting[i] = 1 if acting else 0
        memory.checked_s[i] = host.now_s
    if acting:
        _send(guests, is_active, ideal, out_target)


def proportional_targets(
    guests: GuestsView,
    is_active: IntColumn,
    host_free_bytes: int,
    wanted_free_bytes: int,
    inaccuracy_bytes: int = INACCURACY_BYTES,
) -> IntColumn:
    """Ideal targets of the active guests; what the others have is left as it is."""
    surplus = host_free_bytes - wanted_free_bytes
    total_range = 0
    for i in range(len(is_active)):
        if is_active[i] == 1:
            spare = guests.actual_bytes[i] - guests.min_bytes[i] - 2 * inaccuracy_bytes
            surplus += max(0, spare)
            total_range += max(0, guests.max_bytes[i] - guests.min_bytes[i])
    fraction = 0.0
    if total_range > 0:
        fraction = min(1.0, max(0, surplus) / total_range)
    targets = copied(guests.ordered_bytes)
    for i in range(len(is_active)):
        if is_active[i] == 1:
            reach = max(0, guests.max_bytes[i] - guests.min_bytes[i])
            targets[i] = guests.min_bytes[i] + int(fraction * reach)
    return targets


def watch(guests: GuestsView, memory: ProportionalMemory, i: int, now_s: float) -> None:
    """Note whether a guest moves towards its target, and whether it is stuck."""
    actual = guests.actual_bytes[i]
    if actual == ABSENT:
        return
    gap = guests.ordered_bytes[i] - actual
    moved = 0 if memory.actual_bytes[i] == ABSENT else actual - memory.actual_bytes[i]
    is_new = memory.actual_bytes[i] == ABSENT
    memory.actual_bytes[i] = actual
    has_work = abs(gap) > INACCURACY_BYTES
    if is_new or (has_work and ((moved > 0) == (gap > 0)) and moved != 0):
        memory.progress_s[i] = now_s
        memory.is_stuck[i] = 0
    elif not has_work:
        memory.is_stuck[i] = 0
    elif now_s - memory.progress_s[i] > STUCK_S:
        memory.is_stuck[i] = 1


def _is_due(memory: ProportionalMemory, now_s: float) -> bool:
    """Whether to look at all; starting anew, after a pause, forgets what was known of guests."""
    count = len(memory.is_acting)
    checked_s = float(ABSENT)
    for i in range(count):
        if memory.is_acting[i] == 1:
            return True
        checked_s = max(checked_s, memory.checked_s[i])
    if checked_s >= 0.0 and now_s - checked_s < CHECK_S - _TICK_TOLERANCE_S:
        return False
    for i in range(count):
        memory.actual_bytes[i] = ABSENT
        memory.is_stuck[i] = 0
    return True


def _has_work(guests: GuestsView, is_active: IntColumn, ideal: IntColumn) -> bool:
    """Whether an active guest is on its way, or would be sent somewhere else."""
    for i in range(len(is_active)):
        if is_active[i] == 1:
            ordered = guests.ordered_bytes[i]
            is_on_its_way = abs(guests.actual_bytes[i] - ordered) > INACCURACY_BYTES
            if is_on_its_way or abs(ideal[i] - ordered) > INACCURACY_BYTES:
                return True
    return False


def _send(
    guests: GuestsView, is_active: IntColumn, ideal: IntColumn, out_target: IntColumn
) -> None:
    """Free first, then give: while anybody has to give, only those are told."""
    count = len(is_active)
    gives = filled(0, count)
    is_freeing = False
    for i in range(count):
        if is_active[i] == 1 and ideal[i] < guests.actual_bytes[i] - INACCURACY_BYTES:
            gives[i] = 1
            is_freeing = True
    for i in range(count):
        if is_active[i] == 1 and (gives[i] == 1 or not is_freeing):
            out_target[i] = ideal[i]
