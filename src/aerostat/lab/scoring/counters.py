"""How far a cumulative counter went, when the thing that counts may have started again."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

Number = TypeVar("Number", int, float)


def advance(readings: Sequence[Number | None]) -> Number | None:
    """How far a counter moved from the first reading to the last.

    A reading below the one before means that the counter started again from zero, so it counts in
    full: what was counted between the last reading and the reset is lost. ``None``: fewer than two
    readings, so nothing was measured.
    """
    known = [reading for reading in readings if reading is not None]
    if len(known) < 2:
        return None
    steps = [after - before if after >= before else after for before, after in pairwise(known)]
    return sum(steps[1:], steps[0])
