"""Values of the model and the engine as plain JSON and back, by their own type annotations."""

import types
import typing
from collections.abc import Mapping, MutableSequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from aerostat.engine.peer import PeerState
from aerostat.engine.state import EngineState
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES

ValueT = TypeVar("ValueT")


def plain(value: Any) -> Any:
    """Write a value as JSON has it; what is ``None`` by default and ``None`` now is left out."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if is_dataclass(value) or hasattr(value, "_fields"):
        return _by_name(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    items = [plain(item) for item in value]
    return sorted(items) if isinstance(value, frozenset) else items


def _by_name(value: Any) -> dict[str, Any]:
    if not is_dataclass(value):
        return {name: plain(getattr(value, name)) for name in value._fields}
    kind: Any = type(value)
    defaults = _defaults(kind)
    written = {name: plain(getattr(value, name)) for name in defaults}
    return {
        name: item
        for name, item in written.items()
        if item is not None or defaults[name] is not None
    }


@cache
def _defaults(kind: Any) -> Mapping[str, object]:
    return {field.name: _default(field) for field in fields(kind)}


def _default(field: "Field[Any]") -> object:
    # A field without a default may be None as well, and is read as that where it is left out.
    return None if field.default is MISSING else field.default


def value_of(kind: Any, written: Any) -> Any:
    """Read a value back.

    Raises:
        ValueError, KeyError, TypeError: it was written by a version that knows other words.
    """
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _one_of(typing.get_args(kind), written)
    if origin is tuple:
        return _tuple_of(typing.get_args(kind), written)
    if origin is frozenset:
        (item,) = typing.get_args(kind)
        return frozenset(value_of(item, one) for one in written)
    if isinstance(origin, type) and issubclass(origin, MutableSequence):
        return list(written)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _, item = typing.get_args(kind)
        return {key: value_of(item, one) for key, one in written.items()}
    return _plain_kind(kind, written)


def _plain_kind(kind: Any, written: Any) -> Any:
    if isinstance(kind, typing.NewType):
        return kind(written)
    if not isinstance(kind, type):
        return written
    if issubclass(kind, Enum):
        return kind(written)
    if hasattr(kind, "_fields"):
        columns: Any = kind
        hints = hints_of(columns)
        return columns(**{name: value_of(hints[name], item) for name, item in written.items()})
    if is_dataclass(kind):
        return _dataclass_of(kind, written)
    return written


def _one_of(kinds: tuple[Any, ...], written: Any) -> Any:
    if written is None:
        return None
    (kind,) = [kind for kind in kinds if kind is not type(None)]
    return value_of(kind, written)


def _tuple_of(kinds: tuple[Any, ...], written: Any) -> tuple[Any, ...]:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(value_of(kinds[0], one) for one in written)
    return tuple(value_of(kind, one) for kind, one in zip(kinds, written, strict=True))


def _dataclass_of(kind: Any, written: Mapping[str, Any]) -> Any:
    if kind is PeerState:
        return _peer_of(written)
    hints = hints_of(kind)
    values = {name: value_of(hints[name], item) for name, item in written.items()}
    for field in fields(kind):
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        if field.name not in values and not has_default:
            values[field.name] = None
    return kind(**values)


def _peer_of(written: Mapping[str, Any]) -> PeerState:
    """A baseline's memory is of a type of its own, which its name tells."""
    policy = PolicyName(written["policy"])
    memory = type(BASELINES[policy].new_memory(0))
    return PeerState(
        policy=policy,
        guests=tuple(written["guests"]),
        memory=value_of(memory, written["memory"]),
        asked_s=written["asked_s"],
    )


@cache
def hints_of(kind: Any) -> Mapping[str, Any]:
    """The annotations of a type, resolved."""
    return typing.get_type_hints(kind)


def state_of(written: Mapping[str, Any]) -> EngineState:
    """An engine's state; columns that this version does not know are an error."""
    state: EngineState = value_of(EngineState, written)
    return state
