"""The columns of a recording: one row for each guest in each round (docs/recordings.md)."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from aerostat.model.guest import GuestSnapshot
from aerostat.model.host import HostMemory
from aerostat.model.plan import GuestTrace, HostTrace
from aerostat.store.recording.parquet import pyarrow
from aerostat.store.tape.flat import columns_of

HOST = "host_"  # the host as it was read
ACCOUNT = "host_decided_"  # what the engine made of it
DECIDED = "decided_"  # what the engine made of a guest
SENT = "sent_"

ROUND_COLUMNS: Mapping[str, type] = {
    "part": int,
    "session": int,
    "engine": str,
    "round": int,
    "now_s": float,
    "wall_s": float,
    "was_enforced": bool,
    "next_round_s": float,
    "events": str,
    "engine_state": str,
    "engine_params": str,
}
"""Of the round, the same in all its rows; the last three in its first row alone."""

SENT_COLUMNS: Mapping[str, type] = {
    f"{SENT}position": int,
    f"{SENT}target_bytes": int,
    f"{SENT}reason": str,
    f"{SENT}is_urgent": bool,
}

OF_GUEST = ("guest", "name")
"""A trace has them too; they are written once."""


@cache
def all_columns() -> Mapping[str, type]:
    """Every column with the kind of its values, in the order of the file."""
    return dict(_all_columns())


def _all_columns() -> Iterator[tuple[str, type]]:
    yield from ROUND_COLUMNS.items()
    for prefix, kind in ((HOST, HostMemory), (ACCOUNT, HostTrace)):
        yield from ((prefix + column.name, column.kind) for column in columns_of(kind))
    yield from ((column.name, column.kind) for column in columns_of(GuestSnapshot))
    for column in columns_of(GuestTrace):
        if column.name not in OF_GUEST:
            yield DECIDED + column.name, column.kind
    yield from SENT_COLUMNS.items()


def arrow_schema() -> Any:
    """The same as pyarrow has it; every column may be absent."""
    arrow = pyarrow()
    kinds = {bool: arrow.bool_(), int: arrow.int64(), float: arrow.float64(), str: arrow.string()}
    return arrow.schema([(name, kinds[kind]) for name, kind in all_columns().items()])
