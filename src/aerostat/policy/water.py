"""Weighted max-min fairness by water-filling, in whole numbers.

Sums of integers do not depend on the order of the guests, so permuting guests permutes the result
exactly; floating-point levels would not. All functions work on entries ``first`` to ``end``.
"""

from collections.abc import Sequence

from aerostat.policy.columns import IntColumn

LEVEL_SCALE = 1024
"""Levels are bytes per weight/1024: fine enough that rounding leaves at most a few KiB a guest."""


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

    The search interpolates, and halves where that gained little: the level it ends at is the same
    as by halving alone, in a third of the steps.
    """
    low = 0
    high = 1
    at_low = 0
    at_high = 0
    for i in range(first, end):
        high = max(high, cap[i] * LEVEL_SCALE // weight[i] + 1)
        at_low += held[i]
        at_high += max(held[i], cap[i])
    halve = False
    while high - low > 1:
        middle = (low + high) // 2
        if not halve and at_high > at_low:
            middle = low + int((high - low) * ((supply - at_low) / (at_high - at_low)))
            middle = min(max(middle, low + 1), high - 1)
        total = 0
        for i in range(first, end):
            share = middle * weight[i] // LEVEL_SCALE
            share = min(share, cap[i])
            share = max(share, held[i])
            total += share
        before = high - low
        if total <= supply:
            low, at_low = middle, total
        else:
            high, at_high = middle, total
        halve = 2 * (high - low) > before
    return low


def fill(
    held: IntColumn, cap: Sequence[int], weight: Sequence[int], first: int, end: int, supply: int
) -> int:
    """Raise ``held`` towards ``cap`` in place until the supply is used up.

    Nobody is lowered, and nobody passes its cap (a cap below ``held`` counts as ``held``). Where
    not all caps fit, the supply is shared by weighted max-min fairness.

    Returns:
        What is left of the supply; negative when ``held`` exceeded it from the start.
    """
    asked = 0
    total = 0
    for i in range(first, end):
        asked += max(held[i], cap[i])
        total += held[i]
    if total >= supply:
        return supply - total
    if asked <= supply:
        for i in range(first, end):
            held[i] = max(held[i], cap[i])
        return supply - asked
    level = level_of(held, cap, weight, first, end, supply)
    left = supply
    for i in range(first, end):
        held[i] = max(held[i], min(cap[i], level * weight[i] // LEVEL_SCALE))
        left -= held[i]
    return left


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
        taken[i] += excess[i] - min(excess[i], level * weight[i] // LEVEL_SCALE)
    return 0


def _kept_level(
    excess: Sequence[int], weight: Sequence[int], first: int, end: int, kept: int
) -> int:
    """The highest level up to which everybody may keep its excess, ``kept`` in all."""
    low = 0
    high = 1
    at_low = 0
    at_high = 0
    for i in range(first, end):
        high = max(high, excess[i] * LEVEL_SCALE // weight[i] + 1)
        at_high += excess[i]
    halve = False
    while high - low > 1:
        middle = (low + high) // 2
        if not halve and at_high > at_low:
            middle = low + int((high - low) * ((kept - at_low) / (at_high - at_low)))
            middle = min(max(middle, low + 1), high - 1)
        total = 0
        for i in range(first, end):
            part = middle * weight[i] // LEVEL_SCALE
            total += part if part < excess[i] else excess[i]
        before = high - low
        if total <= kept:
            low, at_low = middle, total
        else:
            high, at_high = middle, total
        halve = 2 * (high - low) > before
    return low
