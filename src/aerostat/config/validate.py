"""Turns what the TOML held into a document, or into everything that is wrong with it."""

import copy
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aerostat.config.consistency import contradictions
from aerostat.config.document import (
    AdvancedTable,
    ApiTable,
    CloudHypervisorTable,
    Document,
    FirecrackerTable,
    GuestsTable,
    GuestTable,
    HostTable,
    LadderTable,
    LibvirtTable,
    QmpTable,
    StoreTable,
)
from aerostat.config.lines import KeyPath
from aerostat.config.values import shown

_TABLES: Mapping[str, type[BaseModel]] = {
    "qmp": QmpTable,
    "libvirt": LibvirtTable,
    "cloud_hypervisor": CloudHypervisorTable,
    "firecracker": FirecrackerTable,
    "host": HostTable,
    "guests": GuestsTable,
    "guest": GuestTable,
    "ladder": LadderTable,
    "store": StoreTable,
    "api": ApiTable,
    "advanced": AdvancedTable,
}
_PLACEHOLDER_NAME = "a guest whose name could not be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong at a place of the document; the file's lines are added by the caller."""

    where: KeyPath
    message: str


def validate(raw: Mapping[str, Any]) -> tuple[Document, list[Finding]]:
    """Read a document; wrong values are found and replaced by defaults, so that all are found."""
    remaining = copy.deepcopy(dict(raw))
    findings: list[Finding] = []
    document: Document | None = None
    while document is None:
        try:
            document = Document.model_validate(remaining)
        except ValidationError as error:
            details = error.errors(include_url=False)
            findings += [_finding(detail) for detail in details]
            # From the back, so that removing an array element leaves earlier indices true.
            for place in sorted({d["loc"] for d in details}, key=_sortable, reverse=True):
                _repair(remaining, place)
    wrong = {finding.where for finding in findings}
    findings += [
        Finding(where=found.where, message=found.message)
        for found in contradictions(document)
        if not wrong.intersection(found.involved)
    ]
    return document, findings


def _sortable(place: KeyPath) -> tuple[tuple[bool, str | int], ...]:
    return tuple((isinstance(step, int), step) for step in place)


def _repair(remaining: dict[str, Any], place: KeyPath) -> None:
    """Take a wrong value out. A rule keeps its place, or the rules after it would be renamed."""
    if place[0] == "guest" and len(place) == 2:
        remaining["guest"][place[1]] = {"name": _PLACEHOLDER_NAME}
        return
    if place[0] == "guest" and place[-1] == "name" and len(place) == 3:
        remaining["guest"][place[1]]["name"] = _PLACEHOLDER_NAME
        return
    container: Any = remaining
    for step in place[:-1]:
        container = container[step]
    del container[place[-1]]


def _finding(detail: ErrorDetails) -> Finding:
    where = detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return Finding(where=where, message=_unknown_key(where))
    if kind == "value_error":
        return Finding(where=where, message=str(detail["ctx"]["error"]))
    return Finding(where=where, message=_wrong_shape(where, detail["input"]))


def _wrong_shape(where: KeyPath, value: object) -> str:
    if where[0] == "guest":
        return "a rule for guests is a table: write [[guest]], in two brackets, once for each rule"
    if where[-1] == "sockets":
        return f'{shown(value)} is not a list: write sockets = ["/run/vm/*.{where[0]}"]'
    if where == ("guests",):
        return "[guests] is written once, in single brackets; rules go into [[guest]]"
    return f"{shown(value)} is not a table: write [{where[0]}] and its keys below it"


def _unknown_key(where: KeyPath) -> str:
    names = [step for step in where if isinstance(step, str)]
    key = names[-1]
    table = names[0] if len(names) > 1 else None
    siblings = list((_TABLES[table] if table is not None else Document).model_fields)
    close = difflib.get_close_matches(key, siblings, n=1)
    if close:
        return f'unknown key; did you mean "{close[0]}"?'
    homes = list(_homes_of(key))
    if homes:
        return f"unknown key here; it belongs {homes[0]}"
    return f"unknown key; known here are {', '.join(siblings)}"


def _homes_of(key: str) -> Iterator[str]:
    if key in Document.model_fields:
        yield "at the top of the file, above the first table"
    for table, model in _TABLES.items():
        if key in model.model_fields:
            yield f"in [[{table}]]" if table == "guest" else f"in [{table}]"
