"""Every setting with its value and where that came from, for ``aerostat config show``."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from aerostat.config.lines import KeyPath


class OriginKind(StrEnum):
    """Who said it. Values are stable."""

    DEFAULT = "default"
    FILE = "file"
    COMMAND_LINE = "command_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value came from."""

    kind: OriginKind
    path: Path | None = None
    line: int | None = None
    option: str | None = None  # such as --mode
    inherited_from: str | None = None  # the key in [guests] that a rule did not override

    def __str__(self) -> str:
        if self.kind is OriginKind.FILE:
            place = f"{self.path}:{self.line}"
        elif self.kind is OriginKind.COMMAND_LINE:
            place = f"command line, {self.option}"
        else:
            place = "default"
        return place if self.inherited_from is None else f"{self.inherited_from} ({place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting in force."""

    key: str
    value: str | None  # as TOML would have it; None: not set, and no default needed
    origin: Origin


def key_text(path: KeyPath) -> str:
    """Write a path as people say it: ``guest[0].min``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def literal(value: Any) -> str | None:
    """Write a dumped value as TOML would have it."""
    return None if value is None else json.dumps(value, ensure_ascii=False)


def leaves(dumped: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every setting of a dumped document; a list of plain values is one setting."""
    if isinstance(dumped, dict):
        for key, value in dumped.items():
            yield from leaves(value, (*path, key))
    elif isinstance(dumped, (list, tuple)) and any(isinstance(item, dict) for item in dumped):
        for index, item in enumerate(dumped):
            yield from leaves(item, (*path, index))
    elif path != ("guest",):  # no rules: nothing to show
        yield path, dumped
