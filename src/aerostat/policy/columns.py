"""The columns a policy works on: one entry a guest, plain numbers only.

The same functions run interpreted over lists in the daemon and can be compiled over arrays for
fleets (docs/design/0002-decisions-over-columns.md), so there are no objects, no ``None`` and no
enums inside: an absent number is ``ABSENT``, and truth is 0 or 1.
"""

from collections.abc import MutableSequence
from typing import NamedTuple

ABSENT = -1
"""Stands for "no value" inside columns; never a figure, and never leaves them."""

IntColumn = MutableSequence[int]
FloatColumn = MutableSequence[float]


class Needs(NamedTuple):
    """What is known of each guest's need, in bytes."""

    min_bytes: IntColumn
    max_bytes: IntColumn
    weight: IntColumn
    ordered_bytes: IntColumn  # the standing target, or `actual` where there is none
    is_movable: IntColumn  # 0: it stays where it is, and what it holds is not to be shared
    is_distressed: IntColumn
    is_calm: IntColumn  # long enough without pressure to be taken from for others' comfort
    need_bytes: IntColumn  # working set, where it is heading, and headroom; ABSENT if not believed
    comfort_bytes: IntColumn  # the need remembered: falls slowly, so that a pause is not a loss


class Wishes(NamedTuple):
    """What a policy asks for, before the guard, and why (codes in ``policy.codes``)."""

    wish_bytes: IntColumn
    why: IntColumn


def empty_wishes(count: int) -> Wishes:
    """Columns for ``count`` guests."""
    return Wishes(wish_bytes=[0] * count, why=[0] * count)
