"""Parses what an agent in a guest writes, believing nothing of it; docs/agent.md has the format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, NoReturn

from aerostat.model.events import PressureTrigger

VERSION = 1
LINE_BYTES_MAX = 2048
_COUNT_MAX = 2**63 - 1
_UPTIME_S_MAX = 1e10
_WORDS_MAX = 40  # of what it sent, in a complaint about it


class AgentViolationError(Exception):
    """A line is not the protocol; the message says what of it, in words."""


class LineKind(StrEnum):
    """What a line is about. Values are stable."""

    FIGURES = "figures"
    PRESSURE = "pressure"  # a trigger has fired just now


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    """What a guest's kernel counts; counters since it booted. Absent is what was not said."""

    total_bytes: int | None = None
    available_bytes: int | None = None
    free_bytes: int | None = None
    cache_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_free_bytes: int | None = None
    swap_in_bytes: int | None = None
    swap_out_bytes: int | None = None
    major_faults: int | None = None
    refaults: int | None = None
    oom_kills: int | None = None
    some_total_us: int | None = None
    full_total_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLine:
    """One line, of which only the form is known to be right, and every figure to be possible."""

    kind: LineKind
    uptime_s: float
    figures: AgentFigures
    trigger: PressureTrigger | None = None  # of a line on pressure
    triggers: int | None = None  # of a line of figures: how many the guest's kernel watches
    absurd: tuple[str, ...] = ()  # figures that were dropped, by name


_FIGURES = tuple(field.name for field in fields(AgentFigures))
_SIZES = ("total_bytes", "available_bytes", "free_bytes", "cache_bytes")


def parse_line(untrusted: bytes) -> AgentLine | None:
    """Parse one line without its end.

    Returns:
        None for a kind of line that a later agent of this version may send.

    Raises:
        AgentViolationError: it is not a line of the protocol.
    """
    said = _object(untrusted)
    version = said.get("aerostat")
    if version != VERSION or isinstance(version, bool):
        raise AgentViolationError(
            f"it speaks version {_shown(version)} of the protocol, this daemon version {VERSION}"
        )
    if said.get("kind") not in tuple(LineKind):
        return None
    kind = LineKind(said["kind"])
    uptime_s = _uptime_s(said)
    found, absurd = _figures(said, uptime_s)
    return AgentLine(
        kind=kind,
        uptime_s=uptime_s,
        figures=AgentFigures(**found),
        trigger=_trigger(said) if kind is LineKind.PRESSURE else None,
        triggers=_triggers(said),
        absurd=absurd,
    )


def _object(untrusted: bytes) -> Mapping[str, Any]:
    if len(untrusted) > LINE_BYTES_MAX:
        raise AgentViolationError(f"a line is longer than {LINE_BYTES_MAX} bytes")
    try:
        said = json.loads(untrusted.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise AgentViolationError("a line is not JSON") from error
    if not isinstance(said, dict):
        raise AgentViolationError("a line is not an object")
    return said


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _uptime_s(said: Mapping[str, Any]) -> float:
    value: Any = said.get("uptime_s")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _UPTIME_S_MAX:
        raise AgentViolationError(f"uptime_s is {_shown(value)}, which is no time since a boot")
    return float(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _COUNT_MAX


def _trigger(said: Mapping[str, Any]) -> PressureTrigger:
    word = said.get("trigger")
    if word not in tuple(PressureTrigger):
        raise AgentViolationError(f"trigger is {_shown(word)}, neither some nor full")
    return PressureTrigger(word)


def _triggers(said: Mapping[str, Any]) -> int | None:
    count = said.get("triggers")
    return count if _is_count(count) else None


def _figures(said: Mapping[str, Any], uptime_s: float) -> tuple[dict[str, int], tuple[str, ...]]:
    """The figures that can be, and the names of those that cannot."""
    found = {name: said[name] for name in _FIGURES if _is_count(said.get(name))}
    absurd = [name for name in _FIGURES if name in said and name not in found]
    total = found.get("total_bytes")
    if total == 0:
        absurd.append("total_bytes")
    if total:
        absurd += [name for name in _SIZES[1:] if found.get(name, 0) > total]
    if found.get("swap_free_bytes", 0) > found.get("swap_total_bytes", _COUNT_MAX):
        absurd += ["swap_total_bytes", "swap_free_bytes"]
    some_us, full_us = found.get("some_total_us", 0), found.get("full_total_us", 0)
    # Nobody can have waited for longer than the guest runs; clocks are read one after the other.
    longest_us = 1e6 * (uptime_s + 1.0)
    absurd += [n for n in ("some_total_us", "full_total_us") if found.get(n, 0) > longest_us]
    if full_us > some_us + 1e6 and "some_total_us" in found:
        absurd.append("full_total_us")
    return {k: v for k, v in found.items() if k not in absurd}, tuple(dict.fromkeys(absurd))


def _shown(value: object) -> str:
    return repr(value)[:_WORDS_MAX]
