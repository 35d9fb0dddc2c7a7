"""Weighted max-min fairness by water-filling, in whole numbers.

Sums of integers do not depend on the order of the guests, so permuting guests permutes the result
exactly; floating-point levels would not. All functions work on entries ``first`` to ``end``.
"""

from collections.abc import Sequence

from aerostat.policy.columns import IntColumn

LEVEL_BITS = 10
LEVEL_SCALE = 1 << LEVEL_BITS
"""Levels are bytes per weight/1024: fine enough that rounding leaves at most a few KiB a guest."""

NEWTON_TURNS = 8
"""So many steps of Newton's nearly always suffice; then every other one halves."""


def total_of(column: Sequence[int], first: int, end: int) -> int:
    """Add up entries ``first`` to ``end``."""
    total = 0
    for i in range(first, end):
        total += column[i]
    return total


def level_of(
    held: Sequence[int],
    cap: Sequence[int],
    weight: Sequence[int],
    first: int,
    end: int,
    supply: int,
) -> int:
    """Find the highest water level at which everybody's share still fits the supply.

    At level L a guest has ``L * weight / LEVEL_SCALE``, at least ``held`` and at most ``cap``.
    """
    low, total, rising, turn = 0, 0, 0, 0
    steepest, flattest = 0.0, float("inf")
    for i in range(first, end):
        total += held[i]
        if cap[i] > held[i]:
            rising += weight[i]
            if cap[i] > steepest * weight[i]:
                steepest = cap[i] / weight[i]
            if held[i] < flattest * weight[i]:
                flattest = held[i] / weight[i]
    high = int(steepest * LEVEL_SCALE) + 2
    level = int(flattest * LEVEL_SCALE) if rising > 0 else 0  # up to here nobody's share rises
    while high - low > 1:
        level = next_level(low, high, level, supply - total, rising, turn)
        total, rising = _shares_at(level, held, cap, weight, first, end)
        if total <= supply:
            low = level
        else:
            high = level
        turn += 1
    return low


def _shares_at(
    level: int,
    held: Sequence[int],
    cap: Sequence[int],
    weight: Sequence[int],
    first: int,
    end: int,
) -> tuple[int, int]:
    """All shares at this level together, and the weight of those whose share rises with it."""
    total, rising = 0, 0
    for i in range(first, end):
        share = level * weight[i] >> LEVEL_BITS
        if share >= cap[i]:
            share = cap[i]
        elif share > held[i]:
            rising += weight[i]
        total += share if share > held[i] else held[i]
    return total, rising


def next_level(low: int, high: int, level: int, gap: int, rising: int, turn: int) -> int:
    """Where between ``low`` and ``high`` to look next: a step of Newton's from ``level``.

    If the same guests went on rising, the gap to the supply would be closed there. Where that
    leads nowhere, or for long not to the end, the search halves.
    """
    if rising > 0 and (turn < NEWTON_TURNS or turn % 2 == 1):
        level += (gap << LEVEL_BITS) // rising
    else:
        level = (low + high) // 2
    return min(max(level, low + 1), high - 1)


def fill(
    held: IntColumn, cap: Sequence[int], weight: Sequence[int], first: int, end: int, supply: int
) -> int:
    """Raise ``held`` towards ``cap`` in place until the supply is used up.

    Nobody is lowered, and nobody passes its cap (a cap below ``held`` counts as ``held``). Where
    not all caps fit, the supply is shared by weighted max-min fairness.

    Returns:
        What is left of the supply; negative when ``held`` exceeded it from the start.
    """
    left = supply
    room = 0
    for i in range(first, end):
        left -= held[i]
        if cap[i] > held[i]:
            room += cap[i] - held[i]
    if left <= 0 or room == 0:
        return left
    if room <= left:
        for i in range(first, end):
            if cap[i] > held[i]:
                held[i] = cap[i]
        return left - room
    level = level_of(held, cap, weight, first, end, supply)
    for i in range(first, end):
        share = level * weight[i] >> LEVEL_BITS
        if share > cap[i]:
            share = cap[i]
        if share > held[i]:
            left -= share - held[i]
            held[i] = share
    return left


def pour(
    held: IntColumn, cap: IntColumn, weight: Sequence[int], first: int, end: int, supply: int
) -> None:
    """Add the supply to ``held`` in place, up to ``cap`` more each, by weighted max-min fairness.

    What everybody is given is levelled, not what it then holds: ``fill`` from nothing.
    """
    room = 0
    for i in range(first, end):
        room += cap[i]
    if supply <= 0:
        return
    if room <= supply:
        for i in range(first, end):
            held[i] += cap[i]
        return
    level = _kept_level(cap, weight, first, end, supply)
    for i in range(first, end):
        held[i] += min(cap[i], level * weight[i] >> LEVEL_BITS)


def drain(
    excess: Sequence[int],
    weight: Sequence[int],
    taken: IntColumn,
    first: int,
    end: int,
    amount: int,
) -> int:
    """Take ``amount`` from those with the greatest excess for their weight, added to ``taken``.

    The mirror of ``fill``: what everybody keeps of its excess is levelled. Where the excesses
    together are less than the amount, all of them is taken. Rounding takes up to a few KiB more
    than asked from each, never less.

    Returns:
        What could not be taken.
    """
    total = total_of(excess, first, end)
    if total <= amount:
        for i in range(first, end):
            taken[i] += excess[i]
        return amount - total
    level = _kept_level(excess, weight, first, end, total - amount)
    for i in range(first, end):
        taken[i] += excess[i] - min(excess[i], level * weight[i] >> LEVEL_BITS)
    return 0


def _kept_level(
    excess: Sequence[int], weight: Sequence[int], first: int, end: int, kept: int
) -> int:
    """The highest level up to which everybody may keep its excess, ``kept`` in all."""
    low, level, total, rising = 0, 0, 0, 0
    steepest = 0.0
    for i in range(first, end):
        if excess[i] > 0:
            rising += weight[i]
            steepest = max(steepest, excess[i] / weight[i])
    high = int(steepest * LEVEL_SCALE) + 2
    turn = 0
    while high - low > 1:
        level = next_level(low, high, level, kept - total, rising, turn)
        total, rising = _kept_at(level, excess, weight, first, end)
        if total <= kept:
            low = level
        else:
            high = level
        turn += 1
    return low


def _kept_at(
    level: int, excess: Sequence[int], weight: Sequence[int], first: int, end: int
) -> tuple[int, int]:
    """What everybody keeps at this level, and the weight of those who keep more with it."""
    total, rising = 0, 0
    for i in range(first, end):
        part = level * weight[i] >> LEVEL_BITS
        if part < excess[i]:
            rising += weight[i]
        else:
            part = excess[i]
        total += part
    return total, rising
