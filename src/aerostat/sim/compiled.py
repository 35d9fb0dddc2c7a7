"""The engine's own decision arithmetic, compiled by Numba: the same source, for fleets.

Nothing is rewritten: every function of the modules below is compiled as it stands, with the
functions and constants it refers to. The daemon never imports this; it needs the extra ``[sim]``.
"""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

import numba
import numpy as np

from aerostat.engine import (
    believe,
    codes,
    columns,
    decide,
    distress,
    estimate,
    guard,
    knobs,
    order,
)
from aerostat.engine.columns import Round
from aerostat.policy import adaptive, static, water
from aerostat.policy import codes as policy_codes
from aerostat.policy import columns as policy_columns

_MODULES: tuple[ModuleType, ...] = (
    water,
    adaptive,
    static,
    believe,
    distress,
    estimate,
    guard,
    order,
    decide,
)
"""Those whose functions are compiled, each after the ones it uses."""

ColumnsT = TypeVar("ColumnsT", bound=tuple[Any, ...])


@cache
def compiled_decide() -> Callable[[Round], None]:
    """Return ``engine.decide.decide``, compiled; the first call of it takes a while."""
    # Numba looks for changes in a function's own file only; the directory tells of all of them.
    numba.config.CACHE_DIR = str(_cache_directory())  # type: ignore[attr-defined] # made at run time
    compiled: dict[FunctionType, Any] = {}
    entry: Any = None
    for module in _MODULES:
        namespace = dict(vars(module))
        own = [f for f in namespace.values() if _is_own(f, module)]
        for function in own:
            twin = FunctionType(
                function.__code__, namespace, function.__name__, function.__defaults__
            )
            compiled[function] = numba.njit(cache=True)(twin)
        for name, value in namespace.items():
            if isinstance(value, FunctionType) and value in compiled:
                namespace[name] = compiled[value]
        entry = namespace.get("decide", entry)
    result: Callable[[Round], None] = entry
    return result


def _cache_directory() -> Path:
    """Where this very source's compiled form is kept: made once, used by all processes."""
    sources = hashlib.sha256()
    for module in (*_MODULES, codes, columns, knobs, policy_codes, policy_columns):
        sources.update(Path(str(module.__file__)).read_bytes())
    own = os.environ.get("AEROSTAT_CACHE")
    users = os.environ.get("XDG_CACHE_HOME")
    base = Path(own) if own else (Path(users) if users else Path.home() / ".cache") / "aerostat"
    return base / "compiled" / f"{numba.__version__}-{sources.hexdigest()[:16]}"


def _is_own(value: object, module: ModuleType) -> bool:
    return isinstance(value, FunctionType) and value.__module__ == module.__name__


def as_arrays(table: ColumnsT) -> ColumnsT:
    """Turn columns into arrays, as the compiled code takes them.

    A tuple of nothing but columns becomes one array of records, whose fields are read and written
    just like the columns: one argument instead of dozens, and a guest's figures lie together.
    """
    kind: Any = type(table)
    if len(table) > 1 and all(isinstance(value, list) for value in table):
        return _as_records(table)  # type: ignore[return-value] # the same by its fields
    return kind(*(_as_array(value) for value in table))  # type: ignore[no-any-return]


def _as_array(value: object) -> object:
    if isinstance(value, tuple) and any(isinstance(inner, list | tuple) for inner in value):
        return as_arrays(value)
    if isinstance(value, list):
        return np.array(value, dtype=_kind_of(value))
    return value


def _as_records(table: Any) -> np.ndarray[Any, Any]:
    fields = [(name, _kind_of(getattr(table, name))) for name in table._fields]
    records = np.zeros(len(table[0]), dtype=np.dtype(fields, align=True)).view(np.recarray)
    for name in table._fields:
        records[name] = getattr(table, name)
    return records


def _kind_of(column: list[Any]) -> type[np.float64] | type[np.int64]:
    return np.float64 if column and isinstance(column[0], float) else np.int64
