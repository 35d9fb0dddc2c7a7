"""Columns that hold one number, for all guests and for ever, as compiled code sees them.

A fleet's guests have no agent, no host swap of their own, no limits and no backups: most figures
that the engine reads, and what it remembers of them, stay what they were when the run began. Told
so, the compiler works out the branches that ask for them, and leaves out what cannot happen. What
is written there is what stands there already, and is not written. Its source stays as it is.
"""

# mypy: disable-error-code="no-untyped-call,untyped-decorator,override"
# Numba's ways to be extended have no types.

import operator
from collections.abc import Mapping
from typing import Any

import numba
from numba.core import types
from numba.core.datamodel import models
from numba.core.extending import register_model, typeof_impl
from numba.core.imputils import lower_builtin, lower_getattr_generic
from numba.core.pythonapi import NativeValue, unbox
from numba.core.typing.templates import (
    AbstractTemplate,
    AttributeTemplate,
    infer_getattr,
    infer_global,
    signature,
)


class FixedTable:
    """Records of the columns that change, and the numbers that stand for the others."""

    def __init__(self, records: Any, fixed: Mapping[str, int | float]) -> None:
        self.records = records
        self.fixed = tuple(sorted(fixed.items()))


class FixedColumnType(types.Type):
    """A column that is one number."""

    def __init__(self, number: int | float) -> None:
        self.number = number
        super().__init__(name=f"FixedColumn({number!r})")


class FixedTableType(types.Type):
    """A table some of whose columns are one number each."""

    def __init__(self, records: Any, fixed: tuple[tuple[str, int | float], ...]) -> None:
        self.records = records
        self.fixed = fixed
        super().__init__(name=f"FixedTable({records}, {fixed!r})")


register_model(FixedColumnType)(models.OpaqueModel)


@register_model(FixedTableType)
class _FixedTableModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("records", kind.records)])


@typeof_impl.register(FixedTable)
def _type_of_table(table: FixedTable, _context: Any) -> FixedTableType:
    return FixedTableType(numba.typeof(table.records), table.fixed)


@unbox(FixedTableType)
def _unbox_table(kind: Any, value: Any, context: Any) -> Any:
    attribute = context.pyapi.object_getattr_string(value, "records")
    native = context.unbox(kind.records, attribute)
    context.pyapi.decref(attribute)  # the table itself holds it for as long as the call lasts
    made = numba.core.cgutils.create_struct_proxy(kind)(context.context, context.builder)
    made.records = native.value
    return NativeValue(made._getvalue(), is_error=native.is_error)  # noqa: SLF001 - Numba's own way


@infer_getattr
class _TableAttributes(AttributeTemplate):
    key = FixedTableType

    def generic_resolve(self, kind: Any, name: str) -> Any:
        number = dict(kind.fixed).get(name)
        if number is not None:
            return FixedColumnType(number)
        return self.context.resolve_getattr(kind.records, name)


@lower_getattr_generic(FixedTableType)
def _lower_attribute(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    if name in dict(kind.fixed):
        return context.get_dummy_value()
    table = numba.core.cgutils.create_struct_proxy(kind)(context, builder, value=value)
    return context.get_getattr(kind.records, name)(
        context, builder, kind.records, table.records, name
    )


@infer_global(operator.getitem)
class _ColumnItem(AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:
        column = arguments[0]
        if keywords or not isinstance(column, FixedColumnType):
            return None
        is_float = isinstance(column.number, float)
        return signature(types.float64 if is_float else types.int64, *arguments)


@lower_builtin(operator.getitem, FixedColumnType, types.Any)
def _lower_item(context: Any, _builder: Any, told: Any, _arguments: Any) -> Any:
    return context.get_constant(told.return_type, told.args[0].number)


@infer_global(operator.setitem)
class _ColumnWrite(AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:
        if keywords or not isinstance(arguments[0], FixedColumnType):
            return None
        return signature(types.none, *arguments)


@lower_builtin(operator.setitem, FixedColumnType, types.Any, types.Any)
def _lower_write(context: Any, _builder: Any, _told: Any, _arguments: Any) -> Any:
    return context.get_dummy_value()
