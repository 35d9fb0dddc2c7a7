"""A working set by age: which share of the accesses falls on the memory used last.

Order a working set by last use, as an LRU list does. A miss-ratio curve says which share of all
accesses its youngest part takes; what a guest keeps beyond that part is missed with the rest. Known
at a sixteenth, an eighth, a quarter and half of the set, straight in between: doubling ages are
what kernels that track age report. Plain numbers, so that a fleet compiles the same source.
"""

from itertools import pairwise
from typing import NamedTuple


class Ages(NamedTuple):
    """Share of the accesses that the youngest part of a working set takes."""

    sixteenth: float
    eighth: float
    quarter: float
    half: float


UNIFORM = Ages(1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""All pages alike: half of the set takes half of the accesses."""


def is_curve(ages: Ages) -> bool:
    """Whether it can be one: younger memory is never used less than older."""
    steps = (
        ages.sixteenth,
        ages.eighth - ages.sixteenth,
        (ages.quarter - ages.eighth) / 2,
        (ages.half - ages.quarter) / 4,
        (1.0 - ages.half) / 8,
    )
    return steps[-1] >= 0.0 and all(a >= b - 1e-12 for a, b in pairwise(steps))


def hit_ratio(
    sixteenth: float, eighth: float, quarter: float, half: float, held_ratio: float
) -> float:
    """Share of accesses that find their page.

    Args:
        sixteenth: what the youngest sixteenth of the working set takes, and so on.
        eighth: see there.
        quarter: see there.
        half: see there.
        held_ratio: how much of the working set is held, the youngest of it.
    """
    held = min(1.0, max(0.0, held_ratio))
    if held >= 0.5:
        return half + (1.0 - half) * (held - 0.5) * 2.0
    if held >= 0.25:
        return quarter + (half - quarter) * (held - 0.25) * 4.0
    if held >= 0.125:
        return eighth + (quarter - eighth) * (held - 0.125) * 8.0
    if held >= 0.0625:
        return sixteenth + (eighth - sixteenth) * (held - 0.0625) * 16.0
    return sixteenth * held * 16.0
