"""Reads a schedule from TOML, strictly: what is wrong is told with file, line, key and remedy."""

import difflib
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from aerostat.config.errors import ConfigError, ConfigProblem
from aerostat.config.lines import KeyPath, line_of_keys
from aerostat.config.values import DurationS, SizeBytes, shown, within, write_size
from aerostat.lab.machine.spec import Keep, MachineSpec, SwapKind
from aerostat.lab.schedule import SYSTEM_BYTES, GuestPlan, PhasePlan, Schedule
from aerostat.units import MIB


class ScheduleError(ConfigError):
    """The schedule cannot be used; its text lists every problem with its place."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _GuestTable(_Table):
    name: str
    ram: SizeBytes
    keep: Keep = "release"
    swap: SwapKind = "vda"
    swap_size: SizeBytes = 512 * MIB


class _PhaseTable(_Table):
    duration: Annotated[DurationS, within("1s", "1h")]
    hot: dict[str, SizeBytes]


class _ScheduleTable(_Table):
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    rate: Annotated[int, Field(gt=0, le=100_000)]
    slo: Annotated[DurationS, within("1ms", "10s")]
    budget: SizeBytes
    compressible_percent: Annotated[int, Field(ge=0, le=100)] = 0
    identical_percent: Annotated[int, Field(ge=0, le=100)] = 0
    warm_up: Annotated[DurationS, within("0s", "5m")]
    settle: Annotated[DurationS, within("0s", "5m")]
    guest: Annotated[list[_GuestTable], Field(min_length=1)]
    phase: Annotated[list[_PhaseTable], Field(min_length=1)]


_Finding = tuple[KeyPath, str]
_EXAMPLES = {
    "rate": "2000",
    "slo": '"20ms"',
    "budget": '"900MiB"',
    "warm_up": '"6s"',
    "settle": '"4s"',
    "name": '"ada"',
    "ram": '"512MiB"',
    "duration": '"12s"',
    "hot": '{ ada = "350MiB", bob = "80MiB" }',
}
_SHAPES: dict[str, type[_Table]] = {"guest": _GuestTable, "phase": _PhaseTable}


def packaged_schedules() -> tuple[str, ...]:
    """Name the schedules that come with Aerostat."""
    found = files("aerostat.lab").joinpath("schedules").iterdir()
    return tuple(
        sorted(item.name.removesuffix(".toml") for item in found if item.name.endswith(".toml"))
    )


def load_packaged_schedule(name: str) -> Schedule:
    """Read a schedule that comes with Aerostat.

    Raises:
        ScheduleError: there is none of that name.
    """
    path = Path(str(files("aerostat.lab").joinpath("schedules", f"{name}.toml")))
    if name not in packaged_schedules():
        known = ", ".join(packaged_schedules())
        message = f"there is no schedule of this name; there are: {known}"
        raise ScheduleError(ConfigProblem(path=Path(name), line=None, key=None, message=message))
    return load_schedule(path)


def load_schedule(path: Path) -> Schedule:
    """Read and check a schedule; it is named after its file.

    Raises:
        ScheduleError: it cannot be read or is wrong; everything that is wrong is told.
    """
    text, raw = _read(path)
    lines = line_of_keys(text)
    try:
        table = _ScheduleTable.model_validate(raw)
    except ValidationError as error:
        findings = [(detail["loc"], _words(detail)) for detail in error.errors()]
        raise _refusal(path, lines, findings) from error
    contradictions = list(_contradictions(table))
    if contradictions:
        raise _refusal(path, lines, contradictions)
    return _schedule(path.stem, table)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    line: int | None = None
    cause: Exception
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        words, cause = f"it cannot be read: {error.strerror}", error
    except ValueError as error:  # not UTF-8, or not TOML
        place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = None if place is None else int(place[1])
        words, cause = f"this is not TOML: {error}", error
    raise ScheduleError(ConfigProblem(path=path, line=line, key=None, message=words)) from cause


def _refusal(path: Path, lines: dict[KeyPath, int], findings: list[_Finding]) -> ScheduleError:
    problems = [_problem(path, lines, finding) for finding in findings]
    problems.sort(key=lambda problem: problem.line or 0)
    return ScheduleError(problems[0], *problems[1:])


def _contradictions(table: _ScheduleTable) -> Iterator[_Finding]:
    names = [guest.name for guest in table.guest]
    for index, guest in enumerate(table.guest):
        yield from _guest_findings(("guest", index), guest, names[:index])
    ram_bytes = {guest.name: guest.ram for guest in table.guest}
    for index, phase in enumerate(table.phase):
        yield from _phase_findings(("phase", index, "hot"), phase, ram_bytes)
    total_bytes = sum(ram_bytes.values())
    if table.budget > total_bytes:
        message = (
            f"{write_size(table.budget)} is more than the RAM of all guests together, so that "
            f"there is nothing to balance: write less than {write_size(total_bytes)}"
        )
        yield ("budget",), message


def _guest_findings(where: KeyPath, guest: _GuestTable, before: list[str]) -> Iterator[_Finding]:
    if guest.name in before:
        yield (*where, "name"), f"there is another guest {guest.name}: give each its own name"
    try:
        MachineSpec(name=guest.name, ram_bytes=guest.ram)
    except ValueError as error:
        yield where, str(error)


def _phase_findings(
    where: KeyPath, phase: _PhaseTable, ram_bytes: dict[str, int]
) -> Iterator[_Finding]:
    for name in (name for name in phase.hot if name not in ram_bytes):
        yield (*where, name), f"there is no guest {name}: the guests are {', '.join(ram_bytes)}"
    for name, guest_bytes in ram_bytes.items():
        most_bytes = guest_bytes - SYSTEM_BYTES
        if name not in phase.hot:
            yield where, f'guest {name} has no hot set in this phase: write {name} = "80MiB"'
        elif phase.hot[name] > most_bytes:
            message = (
                f"{write_size(phase.hot[name])} does not fit into the guest's "
                f"{write_size(guest_bytes)} beside the {write_size(SYSTEM_BYTES)} its system "
                f"needs: write at most {write_size(most_bytes)}"
            )
            yield (*where, name), message


def _words(detail: ErrorDetails) -> str:
    where, value = detail["loc"], detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(where)
        case "missing":
            if len(where) == 1 and where[0] in _SHAPES:
                return f"it is missing: write a [[{where[0]}]] table for each {where[0]}"
            return f"it is missing: write {where[-1]} = {_EXAMPLES[str(where[-1])]}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"{shown(value)} is wrong here: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _unknown_key(where: KeyPath) -> str:
    shape = _SHAPES.get(str(where[0]), _ScheduleTable) if len(where) > 1 else _ScheduleTable
    known = list(shape.model_fields)
    close = difflib.get_close_matches(str(where[-1]), known, n=1)
    if close:
        return f'unknown key; did you mean "{close[0]}"?'
    return f"unknown key; known here are {', '.join(known)}"


def _problem(path: Path, lines: dict[KeyPath, int], finding: _Finding) -> ConfigProblem:
    where, message = finding
    nearest = where
    while nearest and nearest not in lines:
        nearest = nearest[:-1]
    return ConfigProblem(path=path, line=lines.get(nearest), key=_key_text(where), message=message)


def _key_text(where: KeyPath) -> str:
    text = ""
    for step in where:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _schedule(name: str, table: _ScheduleTable) -> Schedule:
    return Schedule(
        name=name,
        seed=table.seed,
        rate=table.rate,
        slo_s=table.slo,
        budget_bytes=table.budget,
        compressible_percent=table.compressible_percent,
        identical_percent=table.identical_percent,
        warm_up_s=table.warm_up,
        settle_s=table.settle,
        guests=tuple(
            GuestPlan(
                name=guest.name,
                ram_bytes=guest.ram,
                keep=guest.keep,
                swap=guest.swap,
                swap_bytes=guest.swap_size,
            )
            for guest in table.guest
        ),
        phases=tuple(
            PhasePlan(duration_s=phase.duration, hot_bytes=dict(phase.hot)) for phase in table.phase
        ),
    )
