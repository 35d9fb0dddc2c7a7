"""The engine's own decision arithmetic, compiled by Numba: the same source, for fleets.

Nothing is rewritten: every function of the modules below is compiled as it stands, with the
functions and constants it refers to. The daemon never imports this; it needs the extra ``[sim]``.
"""

import dis
import hashlib
import os
from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, TypeVar

import numba
import numpy as np

from aerostat.engine import (
    believe,
    closing,
    codes,
    columns,
    confidence,
    decide,
    distress,
    entitlement,
    estimate,
    guard,
    host_side,
    knobs,
    order,
    pace,
    page_cache,
    resident,
    sureness,
)
from aerostat.engine.columns import Round
from aerostat.policy import adaptive, static, water
from aerostat.policy import codes as policy_codes
from aerostat.policy import columns as policy_columns
from aerostat.policy.columns import Table
from aerostat.sim import fixed_columns, room
from aerostat.sim.fixed_columns import FixedTable
from aerostat.sim.room import STAND_INS

ENGINE_MODULES: tuple[ModuleType, ...] = (
    water,
    adaptive,
    static,
    host_side,
    believe,
    distress,
    page_cache,
    confidence,
    closing,
    resident,
    estimate,
    entitlement,
    guard,
    sureness,
    order,
    pace,
    decide,
)
"""Those whose functions are compiled, each after the ones it uses."""

ENGINE_BESIDE: tuple[ModuleType, ...] = (codes, columns, knobs, policy_codes, policy_columns)
"""Those whose constants and tables these use."""

_PLACES = ("first", "end")
"""Columns of where a host's guests stand. An index that may be negative is asked at every use
whether it is, so these are told to be none, and with them whatever counts from one to the other."""

ColumnsT = TypeVar("ColumnsT", bound=tuple[Any, ...] | Table)
EntryT = TypeVar("EntryT", bound=Callable[..., Any])


@cache
def compiled_decide() -> Callable[[Round], None]:
    """Return ``engine.decide.decide``, compiled; the first call of it takes a while."""
    return compiled(decide.decide, ENGINE_MODULES, beside=ENGINE_BESIDE)


def compiled(
    entry: EntryT,
    modules: Sequence[ModuleType],
    *,
    beside: Sequence[ModuleType] = (),
    bound: Mapping[str, Callable[..., Any]] | None = None,
) -> EntryT:
    """Compile a function, and with it every function of some modules that it uses, as they stand.

    Args:
        entry: of the last of the modules: the only one that Python calls.
        modules: each after those whose functions it uses.
        beside: modules whose constants these use: their sources count as well.
        bound: functions of these modules by the name under which the last of them calls them.

    Returns:
        The entry's compiled form; the first call of it compiles.
    """
    # Numba looks for changes in a function's own file only, and not at what a name stands for; the
    # directory tells of both.
    numba.config.CACHE_DIR = str(  # type: ignore[attr-defined] # made at run time
        _cache_directory(modules, beside, bound or {})
    )
    twins: dict[Callable[..., Any], Any] = dict(STAND_INS)
    for module in modules:
        namespace = dict(vars(module))
        if module is modules[-1]:
            namespace.update(bound or {})
        for name, value in namespace.items():
            if isinstance(value, type) and issubclass(value, Table):
                namespace[name] = _as_tuple_kind(value)
        for function in [f for f in namespace.values() if _is_own(f, module)]:
            twin = _twin(function, namespace)
            twins[function] = _compile(twin, is_entry=function is entry)
        for name, value in namespace.items():
            if isinstance(value, FunctionType) and value in twins:
                namespace[name] = twins[value]
    result: EntryT = twins[entry]
    return result


def _compile(twin: FunctionType, *, is_entry: bool) -> Any:
    # Arrays are only lent, and need not be counted at every call: the engine is 20 times as fast
    # without. Nor are any lists made: see ``sim.room``.
    # As numpy divides: what Python would refuse, the same source refuses interpreted.
    # What Python, or C, never calls needs no way to be called from there: making one for each of
    # 200 functions, which takes columns apart and puts them together, was over a third of the time.
    compile_it = numba.njit(  # type: ignore[call-overload] # its stubs leave some out
        cache=True,
        forceinline=True,
        error_model="numpy",
        no_cpython_wrapper=not is_entry,
        no_cfunc_wrapper=True,
        _nrt=False,
    )
    return compile_it(twin)


def _twin(function: FunctionType, namespace: dict[str, Any]) -> FunctionType:
    """The same function in another namespace, without ``del``, which Numba does not know.

    A rule says ``del memory`` of an argument that it does not need; to leave that out is no change.
    """
    instructions = bytearray(function.__code__.co_code)
    for at in range(0, len(instructions), 2):
        if instructions[at] == dis.opmap["DELETE_FAST"]:
            instructions[at : at + 2] = bytes((dis.opmap["NOP"], 0))
    code = function.__code__.replace(co_code=bytes(instructions))
    return FunctionType(code, namespace, function.__name__, function.__defaults__)


def _cache_directory(
    modules: Sequence[ModuleType],
    beside: Sequence[ModuleType],
    bound: Mapping[str, Callable[..., Any]],
) -> Path:
    """Where these very sources' compiled form is kept: made once, used by all processes."""
    sources = hashlib.sha256(Path(__file__).read_bytes())
    for module in (*modules, *beside, fixed_columns, room):
        sources.update(Path(str(module.__file__)).read_bytes())
    for name, function in sorted(bound.items()):
        sources.update(f"{name}={function.__module__}.{function.__qualname__}".encode())
    own = os.environ.get("AEROSTAT_CACHE")
    users = os.environ.get("XDG_CACHE_HOME")
    base = Path(own) if own else (Path(users) if users else Path.home() / ".cache") / "aerostat"
    return base / "compiled" / f"{numba.__version__}-{sources.hexdigest()[:16]}"


def _is_own(value: object, module: ModuleType) -> bool:
    return isinstance(value, FunctionType) and value.__module__ == module.__name__


def _as_tuple_kind(kind: type[Table]) -> Any:
    """The named tuple that stands for a table in compiled code; other processes know it, too."""
    name = f"{kind.__module__.replace('.', '_')}_{kind.__name__}"
    if name not in globals():
        defaults = [field.default for field in fields(kind) if field.default is not MISSING]
        new_kind: Any = namedtuple  # of fields that are known when it runs
        globals()[name] = new_kind(name, kind._fields, defaults=defaults, module=__name__)
    return globals()[name]


Fixed = Mapping[type[Table], Collection[str]]
"""Columns of tables that hold one number each, for ever: see ``sim.fixed_columns``."""


def as_arrays(table: ColumnsT, fixed: Fixed = MappingProxyType({})) -> ColumnsT:
    """Turn columns into arrays, as the compiled code takes them.

    A table of nothing but columns becomes one array of records, whose fields are read and written
    just like the columns: one argument instead of dozens, and a guest's figures lie together.

    Args:
        table: of lists.
        fixed: columns that hold one number for all guests, and always will.
    """
    values = tuple(table)
    if len(values) > 1 and all(isinstance(value, list) for value in values):
        own: Collection[str] = fixed.get(type(table), ())  # type: ignore[arg-type] # or no table
        records: ColumnsT = _as_records(table, own)  # the same by its fields
        return records
    kind: Any = _as_tuple_kind(type(table)) if isinstance(table, Table) else type(table)
    return kind(*(_as_array(value, fixed) for value in values))  # type: ignore[no-any-return]


def _as_array(value: object, fixed: Fixed) -> object:
    if isinstance(value, Table) or (
        isinstance(value, tuple) and any(isinstance(inner, list | tuple) for inner in value)
    ):
        return as_arrays(value, fixed)
    if isinstance(value, list):
        return np.array(value, dtype=_kind_of(value))
    return value


def _as_records(table: Any, fixed: Collection[str]) -> Any:
    names = [name for name in table._fields if name not in fixed]
    fields = [
        (name, np.uint64 if name in _PLACES else _kind_of(getattr(table, name))) for name in names
    ]
    records = np.zeros(len(next(iter(table))), dtype=np.dtype(fields, align=True)).view(np.recarray)
    for name in names:
        records[name] = getattr(table, name)
    numbers = {name: getattr(table, name)[0] for name in table._fields if name in fixed}
    for name, number in numbers.items():
        assert all(one == number for one in getattr(table, name)), f"{name} is not {number}"
    return FixedTable(records, numbers) if numbers else records


def _kind_of(column: list[Any]) -> type[np.float64] | type[np.int64]:
    return np.float64 if column and isinstance(column[0], float) else np.int64
