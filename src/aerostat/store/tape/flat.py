"""A frozen value as one flat row of figures, and back: ``statistics_free_bytes`` and so on.

What is ``None`` has no entry. A part that is absent as a whole, such as the statistics of a guest
without a driver, has none at all: every part has at least one figure that is never ``None``.
"""

import json
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from aerostat.store.tape.plain import hints_of, plain, value_of

Scalar = bool | int | float | str
Row = dict[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One figure of a row."""

    name: str
    kind: type  # bool, int, float or str


@cache
def columns_of(kind: Any) -> tuple[Column, ...]:
    """All figures that a value of this type may have, in the order of its fields."""
    return tuple(_columns(kind, ""))


def _columns(kind: type, prefix: str) -> Iterator[Column]:
    hints = hints_of(kind)
    for field in fields(kind):
        hint = _without_none(hints[field.name])
        if isinstance(hint, type) and is_dataclass(hint):
            yield from _columns(hint, f"{prefix}{field.name}_")
        else:
            yield Column(name=prefix + field.name, kind=_kind(hint))


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        kinds = [one for one in typing.get_args(hint) if one is not type(None)]
        assert len(kinds) == 1, f"{hint} cannot be a column"
        return kinds[0]
    return hint


def _kind(hint: Any) -> type:
    if hint is bool:
        return bool
    if hint is int:
        return int
    return float if hint is float else str  # text, words, and lists written as JSON


def row_of(value: Any) -> Row:
    """The figures of a value that it has."""
    row: Row = {}
    _collect(value, "", row)
    return row


def _collect(value: Any, prefix: str, row: Row) -> None:
    kind: Any = type(value)
    for name in _names(kind):
        item = getattr(value, name)
        if item is None:
            continue
        if isinstance(item, Enum):
            row[prefix + name] = item.value
        elif isinstance(item, (bool, int, float, str)):
            row[prefix + name] = item
        elif isinstance(item, tuple):
            row[prefix + name] = json.dumps(plain(item), separators=(",", ":"))
        else:
            _collect(item, f"{prefix}{name}_", row)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def value_from(kind: type, row: Mapping[str, Any], prefix: str = "") -> Any:
    """Read a value back from its row.

    Raises:
        ValueError: a word in it is not known to this version, or something is missing.
    """
    hints = hints_of(kind)
    values = {}
    for field in fields(kind):
        hint = _without_none(hints[field.name])
        name = prefix + field.name
        if isinstance(hint, type) and is_dataclass(hint):
            part = f"{name}_"
            own = {column.name for column in columns_of(hint)}
            is_there = any(row.get(part + one) is not None for one in own)
            values[field.name] = value_from(hint, row, part) if is_there else None
        elif row.get(name) is not None:
            values[field.name] = _item(hint, row[name])
        elif hint is not hints[field.name]:
            values[field.name] = None
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{name} is missing")
    return kind(**values)


def _item(hint: Any, item: Any) -> Any:
    if typing.get_origin(hint) is tuple:
        return value_of(hint, json.loads(item))
    if hint is bool:
        return bool(item)
    if hint is float:
        return float(item)
    return value_of(hint, item)
