"""Columns that rules make for themselves, as compiled code makes them: out of one room, uncounted.

Lists come from the allocator, and what is compiled to make them counts who uses every column, at
every call, with instructions that lock a cache line: two thirds of what a small rule takes. Here a
column is the next piece of one array, and before a rule is asked again all of it is free. What a
rule made is therefore gone when it is asked next; what it is to remember stands in its memory.
"""

# mypy: disable-error-code="no-untyped-call,untyped-decorator,override,attr-defined"
# Numba's ways to be extended have no types.

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numba
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.extending import intrinsic, register_model
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature

from aerostat.policy import columns

ENTRIES = 1 << 17
"""A MiB: sixteen columns of 8,000 guests, all on one host."""

ir: Any = cgutils.ir  # of the compiler's back end
_WORD = ir.IntType(64)


class RoomColumnType(types.Type):
    """A piece of the room. Where it begins and ends is all there is; nobody counts from its end."""

    def __init__(self) -> None:
        super().__init__(name="RoomColumn")


_COLUMN = RoomColumnType()


@register_model(RoomColumnType)
class _RoomColumnModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        members = [("entries", types.CPointer(types.int64)), ("count", types.int64)]
        super().__init__(manager, kind, members)


def _fields_of(context: Any, builder: Any, value: Any = None) -> Any:
    return cgutils.create_struct_proxy(_COLUMN)(context, builder, value=value)


def _part_of_code(module: Any, kind: Any, name: str) -> Any:
    """A variable of compiled code's own; the same one for all that is compiled into one piece."""
    if name in module.globals:
        return module.globals[name]
    variable = cgutils.add_global_variable(module, kind, name)
    variable.linkage = "common"
    variable.initializer = ir.Constant(kind, None)
    return variable


def _taken(_typing: Any, _count: Any) -> Any:
    """A column of so many entries, whatever stands in them."""

    def generate(context: Any, builder: Any, _told: Any, arguments: Any) -> Any:
        room = _part_of_code(builder.module, ir.ArrayType(_WORD, ENTRIES), "aerostat_room")
        used = _part_of_code(builder.module, _WORD, "aerostat_room_used")
        first = builder.load(used)
        end = builder.add(first, arguments[0])
        is_full = builder.icmp_unsigned(">", end, _WORD(ENTRIES))
        with cgutils.if_unlikely(builder, is_full):
            context.call_conv.return_user_exc(
                builder, MemoryError, (f"more guests on one host than {ENTRIES} entries serve",)
            )
        builder.store(end, used)
        column = _fields_of(context, builder)
        column.entries = builder.gep(room, [_WORD(0), first], inbounds=True)
        column.count = arguments[0]
        return column._getvalue()  # noqa: SLF001 - Numba's own way

    return _COLUMN(types.int64), generate


def _emptied(_typing: Any) -> Any:
    """Nothing is taken any more."""

    def generate(context: Any, builder: Any, _told: Any, _arguments: Any) -> Any:
        builder.store(_WORD(0), _part_of_code(builder.module, _WORD, "aerostat_room_used"))
        return context.get_dummy_value()

    return types.none(), generate


_take: Any = intrinsic(_taken)
_empty: Any = intrinsic(_emptied)


@infer_global(operator.getitem)
class _Item(AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:
        if keywords or not isinstance(arguments[0], RoomColumnType):
            return None
        return signature(types.int64, _COLUMN, types.int64)


@infer_global(operator.setitem)
class _Write(AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:
        if keywords or not isinstance(arguments[0], RoomColumnType):
            return None
        return signature(types.none, _COLUMN, types.int64, types.int64)


@infer_global(len)
class _Length(AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:
        if keywords or not isinstance(arguments[0], RoomColumnType):
            return None
        return signature(types.int64, _COLUMN)


def _place(context: Any, builder: Any, column: Any, index: Any) -> Any:
    return builder.gep(_fields_of(context, builder, column).entries, [index], inbounds=True)


@lower_builtin(operator.getitem, RoomColumnType, types.int64)
def _lower_item(context: Any, builder: Any, _told: Any, arguments: Any) -> Any:
    return builder.load(_place(context, builder, *arguments))


@lower_builtin(operator.setitem, RoomColumnType, types.int64, types.int64)
def _lower_write(context: Any, builder: Any, _told: Any, arguments: Any) -> Any:
    column, index, value = arguments
    builder.store(value, _place(context, builder, column, index))
    return context.get_dummy_value()


@lower_builtin(len, RoomColumnType)
def _lower_length(context: Any, builder: Any, _told: Any, arguments: Any) -> Any:
    return _fields_of(context, builder, arguments[0]).count


def _filled(value: int, count: int) -> Any:
    made = _take(count)
    for i in range(count):
        made[i] = value
    return made


def _copied(column: Any) -> Any:
    made = _take(len(column))
    for i in range(len(column)):
        made[i] = column[i]
    return made


def _clear_room() -> None:
    _empty()


def _compiled(function: Callable[..., Any]) -> Any:
    return numba.njit(  # type: ignore[call-overload] # its stubs leave `_nrt` out
        forceinline=True, error_model="numpy", _nrt=False
    )(function)


STAND_INS: Mapping[Any, Any] = MappingProxyType(
    {
        columns.filled: _compiled(_filled),
        columns.copied: _compiled(_copied),
        columns.clear_room: _compiled(_clear_room),
    }
)
"""What stands in compiled code for the functions that make columns."""
