"""Values to rows and back: one column a field, absent is NULL."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from aerostat.model.effect import Effect
from aerostat.model.events import (
    BalloonMoved,
    Command,
    Event,
    LifecycleChanged,
    LifecycleKind,
    MemoryReserved,
    OperatorCommanded,
    Outcome,
    PressurePushed,
    PressureTrigger,
    TargetAnswered,
    TargetReplaced,
    TechniqueAct,
    TechniqueUsed,
)
from aerostat.model.figures import (
    Absence,
    AbsentFigure,
    BalloonStatistics,
    GuestPressure,
    VmFootprint,
)
from aerostat.model.guest import GuestId, GuestSnapshot, Hinting, RunState
from aerostat.model.host import HostMemory
from aerostat.model.host_state import HostState, LadderStep
from aerostat.model.plan import GuestTrace, HostTrace, TargetChange
from aerostat.model.reasons import Bound, Reason

Cell = int | float | str | None
ValueT = TypeVar("ValueT")

_INTEGER_MAX = 2**63 - 1

EVENT_KINDS: Mapping[type[Event], str] = {
    TargetAnswered: "target_answered",
    TargetReplaced: "target_replaced",
    BalloonMoved: "balloon_moved",
    LifecycleChanged: "lifecycle_changed",
    MemoryReserved: "memory_reserved",
    TechniqueUsed: "technique_used",
    OperatorCommanded: "operator_commanded",
    PressurePushed: "pressure_pushed",
}


def _ladder(text: str) -> tuple[LadderStep, ...]:
    return tuple(LadderStep(word) for word in json.loads(text))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "deflates_on_oom": bool,
    "reports_free_pages": bool,
    "hinting": Hinting,
    "run_state": RunState,
    "reason": Reason,
    "bound": Bound,
    "outcome": Outcome,
    "kind": LifecycleKind,
    "command": Command,
    "state": HostState,
    "allowed": _ladder,
    "in_use": _ladder,
    "step": LadderStep,
    "act": TechniqueAct,
    "trigger": PressureTrigger,
    "effect": Effect,
}
"""Columns that come back as something else than the plain number or text in them."""


def _names(kind: type[Any], *, without: Iterable[str] = ()) -> tuple[str, ...]:
    left_out = frozenset(without)
    return tuple(field.name for field in fields(kind) if field.name not in left_out)


# Which guest it was is a number of its own, kept in the table `guest`.
_OF_GUEST = ("guest", "name")
# What is declared at a VM shows in the limits of its decisions; only the tape has it word by word.
_PARTS = ("statistics", "pressure", "footprint", "declared", "number", "tags")
HOST_MEMORY = _names(HostMemory)
HOST_TRACE = _names(HostTrace)
SNAPSHOT = _names(GuestSnapshot, without=(*_OF_GUEST, *_PARTS))
STATISTICS = _names(BalloonStatistics, without=("absent",))
PRESSURE = _names(GuestPressure)
FOOTPRINT = _names(VmFootprint)
DECISION = _names(GuestTrace, without=_OF_GUEST)
CHANGE = _names(TargetChange, without=_OF_GUEST)
EVENT = tuple(
    dict.fromkeys(name for kind in EVENT_KINDS for name in _names(kind, without=_OF_GUEST))
)


def cell(value: object) -> Cell:
    """A value as SQLite takes it.

    What a guest or a hypervisor sent may be anything: a number too great is cut to the greatest,
    text that is no UTF-8 is escaped, not-a-number is absent.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return max(-_INTEGER_MAX, min(_INTEGER_MAX, value))
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if value is None:
        return None
    if isinstance(value, tuple):
        return json.dumps([str(item) for item in value])
    # A NUL would end the text for many a reader of SQLite's.
    text = str(value).replace("\0", "\N{SYMBOL FOR NULL}")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def cells(value: object, names: Iterable[str]) -> dict[str, Cell]:
    """The named fields of a value; of an absent value, all of them absent."""
    if value is None:
        return dict.fromkeys(names)
    return {name: cell(getattr(value, name, None)) for name in names}


def prefixed(prefix: str, row: Mapping[str, Cell]) -> dict[str, Cell]:
    """The same row, its columns named after what they belong to."""
    return {f"{prefix}_{name}": value for name, value in row.items()}


def sample_row(guest: GuestSnapshot) -> dict[str, Cell]:
    """A guest's raw figures."""
    absent = None
    if guest.statistics is not None:
        absent = json.dumps([[a.name, a.why.value] for a in guest.statistics.absent])
    return {
        **cells(guest, SNAPSHOT),
        **prefixed("statistics", cells(guest.statistics, STATISTICS)),
        "statistics_absent": cell(absent),
        **prefixed("pressure", cells(guest.pressure, PRESSURE)),
        **prefixed("footprint", cells(guest.footprint, FOOTPRINT)),
    }


def event_row(event: Event) -> dict[str, Cell]:
    """What happened."""
    return {"what": EVENT_KINDS[type(event)], **cells(event, EVENT)}


def _value(kind: type[ValueT], row: Mapping[str, Any], names: Iterable[str], **more: Any) -> ValueT:
    # What an older daemon did not write yet is what the model says it is by default.
    values = {name: read(name, row[name]) for name in names if name in row}
    return kind(**values, **more)


def read(name: str, value: Any) -> Any:
    """A column's value as the model has it.

    Raises:
        ValueError: it is a word that this version does not know.
    """
    reader = bool if name.startswith(("is_", "has_")) else _READERS.get(name)
    return value if reader is None or value is None else reader(value)


def _part(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    start = f"{prefix}_"
    return {key.removeprefix(start): row[key] for key in row if key.startswith(start)}


def snapshot_of(row: Mapping[str, Any]) -> GuestSnapshot:
    """A guest as it was read; ``row`` has its sample, and ``guest`` and ``name``."""
    statistics = _part(row, "statistics")
    pressure = _part(row, "pressure")
    footprint = _part(row, "footprint")
    return _value(
        GuestSnapshot,
        row,
        SNAPSHOT,
        guest=GuestId(row["guest"]),
        name=row["name"],
        statistics=None
        if statistics["sampled_wall_s"] is None
        else _value(
            BalloonStatistics, statistics, STATISTICS, absent=_absent(statistics["absent"])
        ),
        pressure=None
        if pressure["sampled_wall_s"] is None
        else _value(GuestPressure, pressure, PRESSURE),
        footprint=None if footprint["age_s"] is None else _value(VmFootprint, footprint, FOOTPRINT),
    )


def _absent(text: str | None) -> tuple[AbsentFigure, ...]:
    pairs = json.loads(text or "[]")
    return tuple(AbsentFigure(name=name, why=Absence(why)) for name, why in pairs)


def trace_of(row: Mapping[str, Any]) -> GuestTrace:
    """What was decided about a guest; ``row`` has the decision, and ``guest`` and ``name``."""
    return _value(GuestTrace, row, DECISION, guest=GuestId(row["guest"]), name=row["name"])


def host_trace_of(row: Mapping[str, Any]) -> HostTrace:
    """The host's account of a round."""
    return _value(HostTrace, row, HOST_TRACE)


def host_memory_of(row: Mapping[str, Any]) -> HostMemory | None:
    """The host's own figures in a round; None: it could not be read."""
    host = _part(row, "host")
    return None if host["total_bytes"] is None else _value(HostMemory, host, HOST_MEMORY)


def change_of(row: Mapping[str, Any]) -> TargetChange:
    """A target that was to be sent."""
    return _value(TargetChange, row, CHANGE, guest=GuestId(row["guest"]))


def event_of(row: Mapping[str, Any]) -> Event:
    """An event as it came.

    Raises:
        ValueError: it is of a kind that this version does not know.
    """
    for kind, name in EVENT_KINDS.items():
        if row["what"] == name:
            own = _names(kind, without=_OF_GUEST)
            return _value(kind, row, own, guest=GuestId(row["guest"]))
    raise ValueError(f"{row['what']!r} is not a kind of event")
