"""The columns a policy works on: one entry a guest, plain numbers only.

The same functions run interpreted over lists in the daemon and are compiled over arrays for fleets
(docs/design/0002-decisions-over-columns.md), so there are no objects, no ``None``, no enums and no
keyword-only arguments inside: an absent number is ``ABSENT``, and truth is 0 or 1. Guests of one
host are neighbours, in entries ``first`` up to but not including ``end``.
"""

from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

ABSENT = -1
"""Stands for "no value" inside columns; never a figure, and never leaves them."""

IntColumn = MutableSequence[int]
FloatColumn = MutableSequence[float]


def filled(value: int, count: int) -> IntColumn:
    """A column that a rule makes for itself, for as long as it is being asked.

    Rules make theirs by this and the next, because compiled code has another way (``sim.room``).
    """
    return [value] * count


def copied(column: Sequence[int]) -> IntColumn:
    """Likewise, with these entries."""
    return list(column)


def clear_room() -> None:
    """Before a rule is asked: what it made when last asked may go. Lists go by themselves."""


@dataclass(slots=True)
class Table:
    """Columns or numbers by name, each a ``dataclass`` with slots: a named tuple, but fast.

    Interpreted, the engine does little else than read fields, and a slot is read in a quarter of
    the time. Compiled code is handed the same tables as named tuples (see ``sim.compiled``). As of
    a tuple, no field is ever set anew; what stands in a column may be.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self._fields)

    def _replace(self, **changed: Any) -> Self:
        return replace(self, **changed)


@dataclass(slots=True)
class Needs(Table):
    """What is known of each guest's need, in bytes."""

    min_bytes: IntColumn
    max_bytes: IntColumn
    weight: IntColumn
    ordered_bytes: IntColumn  # its target, or `actual` where it has none or cannot be moved
    is_movable: IntColumn  # 0: it stays where it is, and what it holds is not to be shared
    is_distressed: IntColumn
    is_starved: IntColumn  # in distress for seconds, with all that could be given so far
    is_calm: IntColumn  # long enough without pressure to be taken from for others' comfort
    core_bytes: IntColumn  # working set, and where it is heading
    need_bytes: IntColumn  # that and headroom; ABSENT if not believed
    comfort_bytes: IntColumn  # the need remembered: falls slowly, so that a pause is not a loss
    floor_bytes: IntColumn  # below that not even scarcity takes
    rise_bytes: FloatColumn  # how far it rose at a stretch, in the last hours
    is_in_host_swap: IntColumn  # part of it lies there: to take it, the host reads it first
    kept_bytes: IntColumn  # what it uses, its headroom, and what it is expected to grow by
    due_bytes: IntColumn  # its share by weight, if everybody wanted all it can have
    is_idle: IntColumn  # calm, and has not grown for long
    unsure_bytes: IntColumn  # of what it gave, so much might bring the host nothing


@dataclass(slots=True)
class Host(Table):
    """One host: which entries are its guests, and what they together may hold."""

    first: int
    end: int
    supply_bytes: int
    burst_bytes: int  # the part of the supply that is kept back for guests in distress
    is_short: int = 0  # 1: its own memory runs out, whatever the guests need
    backing_bytes: int = 0  # what it can make room for beyond that; for need, and for nothing else


@dataclass(slots=True)
class Wishes(Table):
    """What a policy asks for, before the guard, and why (codes in ``policy.codes``)."""

    wish_bytes: IntColumn
    why: IntColumn


@dataclass(slots=True)
class Desk(Table):
    """Room for a policy's intermediate results, so that it allocates nothing itself."""

    need_share: IntColumn
    surplus_share: IntColumn
    taken: IntColumn
    excess: IntColumn
    cap: IntColumn
    extra: IntColumn
    weight: IntColumn


def empty_wishes(count: int) -> Wishes:
    """Columns for ``count`` guests."""
    return Wishes(wish_bytes=[0] * count, why=[0] * count)


def empty_desk(count: int) -> Desk:
    """Columns for ``count`` guests."""
    return Desk(*([0] * count for _ in Desk._fields))
