"""Reads scenario files, strictly: what is wrong is told with file, line, key and remedy."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aerostat.config.document import AdvancedTable
from aerostat.config.errors import ConfigError, ConfigProblem
from aerostat.config.lines import KeyPath, line_of_keys
from aerostat.config.settings import key_text
from aerostat.config.values import shown
from aerostat.sim.scenario.checks import CHECKS
from aerostat.sim.scenario.consistency import Finding, contradictions
from aerostat.sim.scenario.happening import FaultTable, Happening
from aerostat.sim.scenario.tables import (
    GuestTable,
    HostTable,
    PeerTable,
    Scenario,
    WithoutTable,
)

_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")
_TABLES: Mapping[str, type[BaseModel]] = {
    "host": HostTable,
    "guest": GuestTable,
    "at": Happening,
    "peer": PeerTable,
    "without": WithoutTable,
    "advanced": AdvancedTable,
}


class ScenarioError(ConfigError):
    """The scenario cannot be used; its text lists every problem with its place."""


def load_scenarios(folder: Path) -> dict[str, Scenario]:
    """Read all scenarios of a folder, by their files' names, in order.

    Raises:
        ScenarioError: one of them is wrong.
    """
    return {path.stem: load_scenario(path) for path in sorted(folder.glob("*.toml"))}


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario.

    Raises:
        ScenarioError: it cannot be read or is wrong; everything that is wrong is told.
    """
    text, raw = _read(path)
    lines = line_of_keys(text)
    try:
        scenario = Scenario.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise _refusal(path, lines, [_finding(detail) for detail in details]) from error
    findings = list(contradictions(scenario))
    if findings:
        raise _refusal(path, lines, findings)
    return scenario


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    line: int | None = None
    cause: Exception
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        words, cause = f"it cannot be read: {error.strerror}", error
    except ValueError as error:  # not UTF-8, or not TOML
        place = _PLACE.search(str(error))
        line = None if place is None else int(place[1])
        words, cause = f"this is not TOML: {error}", error
    raise ScenarioError(ConfigProblem(path=path, line=line, key=None, message=words)) from cause


def _refusal(
    path: Path, lines: Mapping[KeyPath, int], findings: Sequence[Finding]
) -> ScenarioError:
    problems = [_problem(path, lines, where, message) for where, message in findings]
    problems.sort(key=lambda problem: problem.line or 0)
    return ScenarioError(problems[0], *problems[1:])


def _problem(
    path: Path, lines: Mapping[KeyPath, int], where: KeyPath, message: str
) -> ConfigProblem:
    nearest = where
    while nearest and nearest not in lines:
        nearest = nearest[:-1]
    key = key_text(where) if where else None
    return ConfigProblem(path=path, line=lines.get(nearest), key=key, message=message)


def _finding(detail: ErrorDetails) -> Finding:
    where, value = detail["loc"], detail["input"]
    table = _table_of(where)
    if where[0] == "must" and len(where) > 2:
        where = (*where[:2], *where[3:])  # without the check's kind, which pydantic put in
    match detail["type"]:
        case "extra_forbidden":
            return where, _unknown_key(str(where[-1]), table)
        case "missing":
            return where, f"{where[-1]} is missing"
        case "value_error":
            return where, str(detail["ctx"]["error"])
        case "union_tag_not_found":
            return where, 'it is not said what to check: write check = "target_never_below"'
        case "union_tag_invalid":
            kind = str(detail["ctx"]["tag"])
            return (*where, "check"), _unknown(shown(kind), kind, sorted(CHECKS))
        case _:
            return where, f"{shown(value)} is wrong: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _table_of(where: KeyPath) -> type[BaseModel]:
    if where[0] == "must" and len(where) > 2:
        return CHECKS[str(where[2])]
    if "fault" in where[:-1]:
        return FaultTable
    return _TABLES.get(str(where[0]), Scenario) if len(where) > 1 else Scenario


def _unknown_key(key: str, table: type[BaseModel]) -> str:
    return _unknown("unknown key", key, list(table.model_fields))


def _unknown(what: str, key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f'{what}; did you mean "{close[0]}"?'
    return f"{what}; known here are {', '.join(known)}"
