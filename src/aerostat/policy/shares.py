"""``shares``: Proxmox VE's automatic ballooning: one goal for the host, shared out by weight.

Source: Proxmox VE, ``pve-manager``: ``PVE/AutoBalloon.pm`` (the allocator) and ``auto_balloning``
in ``PVE/Service/pvestatd.pm`` (the loop). The rule is published with the source and described for
users in the Proxmox VE administration guide, chapter "Memory". Restated here in our own words.

Rule, every 10 s: the host's RAM shall be used to 80 %. What it is above or below that is the goal.
A goal within 10 MiB is left alone. Memory is given first to guests whose *free* memory is at most
a quarter of their min (or who have no statistics), and taken first from all others; where that
achieves nothing, everybody takes part. Among those who take part, what all hold above min, and the
goal, is dealt anew by shares, within [min, max], no guest moving by more than 100 MiB.

Known faults: free memory stands for available, so page cache reads as need; no statistics count as
need; dealing anew may *shrink* guests while memory is to be given; where the rich are exhausted
the starving are shrunk as well; what a max leaves over mostly goes to nobody; no feedback from
swap or pressure; 10 MiB/s whatever the emergency.

Reproduced to the byte: truncation, order of evaluation, restarts. Left out: a stopped guest's
start at its minimum, and reading statistics every 2 s (a guest's figures are as fresh as the
caller's).
"""

from typing import NamedTuple

from aerostat.policy.baseline import GuestsView, HostView, NoMemory, keep_all
from aerostat.policy.columns import ABSENT, IntColumn, copied, filled
from aerostat.units import MIB

PERIOD_S = 10.0
HOST_TARGET_PERCENT = 80
DEAD_BAND_BYTES = 10 * MIB
STEP_BYTES_MAX = 100 * MIB
SHARES_DEFAULT = 1000
RICH_RATIO = 0.25
"""A guest with more free memory than this share of its min can be taken from first."""


class Machines(NamedTuple):
    """What the allocator knows of each guest; ``ABSENT`` (and 0, as in the original) is unset."""

    actual_bytes: IntColumn
    min_bytes: IntColumn
    max_bytes: IntColumn
    shares: IntColumn  # ABSENT counts as 1000; 0 leaves the guest alone
    free_bytes: IntColumn
    is_locked: IntColumn  # being migrated


def decide(host: HostView, guests: GuestsView, _memory: NoMemory, out_target: IntColumn) -> None:
    """Write a target for every guest; without the host's figures nothing moves."""
    keep_all(guests, out_target)
    if ABSENT in (host.total_bytes, host.available_bytes):
        return
    goal = balance_goal(
        total_bytes=host.total_bytes, used_bytes=host.total_bytes - host.available_bytes
    )
    allocate(machines_of(guests), out_target, goal_bytes=goal)
    for i in range(len(out_target)):
        if out_target[i] == ABSENT:
            out_target[i] = guests.ordered_bytes[i]


def machines_of(guests: GuestsView) -> Machines:
    """Our columns in the allocator's terms: weights are shares, what cannot move is locked."""
    is_locked = filled(0, len(guests.is_movable))
    for i in range(len(is_locked)):
        is_locked[i] = 1 - guests.is_movable[i]
    return Machines(
        actual_bytes=guests.actual_bytes,
        min_bytes=guests.min_bytes,
        max_bytes=guests.max_bytes,
        shares=guests.weight,
        free_bytes=guests.free_bytes,
        is_locked=is_locked,
    )


def balance_goal(
    total_bytes: int, used_bytes: int, target_percent: int = HOST_TARGET_PERCENT
) -> int:
    """By how many bytes the guests together should grow; negative: shrink."""
    return int(total_bytes * target_percent / 100 - used_bytes)


def allocate(
    machines: Machines,
    tentative: IntColumn,
    goal_bytes: int,
    step_bytes_max: int = STEP_BYTES_MAX,
) -> int:
    """Share a goal out among the guests.

    Args:
        machines: all guests of the host.
        tentative: receives each guest's new size; ``ABSENT`` where none is asked for.
        goal_bytes: positive to give, negative to take.
        step_bytes_max: the most by which a guest's size may change.

    Returns:
        What is left of the goal.
    """
    assert step_bytes_max > 0, "a step of nothing moves nothing"
    count = len(tentative)
    first = filled(0, count)
    everyone = filled(0, count)
    for i in range(count):
        tentative[i] = ABSENT
        if is_eligible(machines, i):
            everyone[i] = 1
            first[i] = 1 if is_rich(machines, i) == (goal_bytes < 0) else 0
    if -DEAD_BAND_BYTES <= goal_bytes <= DEAD_BAND_BYTES:
        return goal_bytes
    left = spread(machines, first, tentative, amount=goal_bytes, step_bytes_max=step_bytes_max)
    has_helped = left < goal_bytes if goal_bytes > 0 else left > goal_bytes
    if has_helped:
        return left
    return spread(machines, everyone, tentative, amount=left, step_bytes_max=step_bytes_max)


def is_eligible(machines: Machines, i: int) -> bool:
    """Whether the guest takes part: driver alive, a min set, not locked, not opted out."""
    return (
        machines.actual_bytes[i] > 0
        and machines.min_bytes[i] > 0
        and machines.max_bytes[i] != ABSENT
        and machines.is_locked[i] == 0
        and machines.shares[i] != 0
    )


def is_rich(machines: Machines, i: int) -> bool:
    """Whether it has memory to spare; by *free* memory, and without statistics it is poor."""
    free = machines.free_bytes[i]
    least = machines.min_bytes[i]
    return free > 0 and free > RICH_RATIO * least and machines.actual_bytes[i] >= least


def spread(
    machines: Machines,
    chosen: IntColumn,
    tentative: IntColumn,
    amount: int,
    step_bytes_max: int,
) -> int:
    """Deal what the chosen hold above min, and the amount, anew by shares.

    A round in which anybody's size changed is followed by another, because limits leave something
    over; who is where it should be drops out, and its part no longer counts. The rounds are finite:
    while nobody drops out the pool stays the same, and the same pool asks for the same sizes.

    Args:
        machines: all guests of the host.
        chosen: 1 for those who take part.
        tentative: sizes asked for so far, changed in place.
        amount: bytes to give, or to take where negative.
        step_bytes_max: the most by which a guest's size may differ from what it holds.

    Returns:
        What is left of the amount; more than there was, where dealing went the wrong way.
    """
    waiting = copied(chosen)
    left = amount
    has_moved = True
    while left != 0 and has_moved:
        has_moved = False
        pool = _pool_bytes(machines, waiting, tentative) + left
        shares_total = _shares_total(machines, waiting)
        for i in range(len(waiting)):
            if waiting[i] == 0:
                continue
            entitled = _entitled_bytes(machines, i, pool=pool, shares_total=shares_total)
            size = _stepped_bytes(
                entitled, machines.actual_bytes[i], may_grow=amount > 0, step=step_bytes_max
            )
            if size == ABSENT:
                waiting[i] = 0
                continue
            change = size - _standing_bytes(machines, i, tentative)
            tentative[i] = size
            left -= change
            has_moved = has_moved or change != 0
    return left


def _standing_bytes(machines: Machines, i: int, tentative: IntColumn) -> int:
    return machines.actual_bytes[i] if tentative[i] == ABSENT else tentative[i]


def _shares_of(machines: Machines, i: int) -> int:
    return SHARES_DEFAULT if machines.shares[i] == ABSENT else machines.shares[i]


def _pool_bytes(machines: Machines, waiting: IntColumn, tentative: IntColumn) -> int:
    """What those who wait hold above their mins; negative where they are below."""
    pool = 0
    for i in range(len(waiting)):
        if waiting[i] == 1:
            pool += _standing_bytes(machines, i, tentative) - machines.min_bytes[i]
    return pool


def _shares_total(machines: Machines, waiting: IntColumn) -> int:
    total = 0
    for i in range(len(waiting)):
        if waiting[i] == 1:
            total += _shares_of(machines, i)
    return total


def _entitled_bytes(machines: Machines, i: int, pool: int, shares_total: int) -> int:
    """Min and its part of the pool. The division comes first and the part is cut towards zero."""
    entitled = machines.min_bytes[i] + int(pool / shares_total * _shares_of(machines, i))
    if entitled > machines.max_bytes[i]:
        return machines.max_bytes[i]  # also where max lies below min
    return max(entitled, machines.min_bytes[i])


def _stepped_bytes(entitled: int, actual: int, may_grow: bool, step: int) -> int:
    """One step from ``actual`` towards it; ``ABSENT`` where there is no step to make."""
    if may_grow and entitled > actual:
        return min(entitled, actual + step)
    if entitled < actual:  # whatever the goal's sign
        return max(entitled, actual - step)
    return ABSENT
