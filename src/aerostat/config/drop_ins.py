"""Files of ``conf.d`` beside the configuration: each says a little, and stands over what is before.

Tables are merged key by key, lists replaced. Rules for guests are put before those there are,
since the first that matches holds: so a later file stands over an earlier one there, too.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from aerostat.config.lines import KeyPath, line_of_keys

FOLDER = "conf.d"


class Place(NamedTuple):
    """Where something was written."""

    path: Path
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What files say so far, and where each of it stands."""

    raw: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[KeyPath, Place] = field(default_factory=dict)


def written(path: Path, text: str) -> Written:
    """One file.

    Raises:
        tomllib.TOMLDecodeError: it is not TOML.
    """
    raw = tomllib.loads(text)
    lines = line_of_keys(text)
    return Written(raw=raw, places={key: Place(path, line) for key, line in lines.items()})


def drop_ins(path: Path) -> tuple[Path, ...]:
    """The files that stand over a configuration, in the order in which they are read."""
    return tuple(sorted(path.parent.joinpath(FOLDER).glob("*.toml")))


def over(below: Written, above: Written) -> Written:
    """Both, where ``above`` holds wherever the two differ."""
    rules = above.raw.get("guest")
    count = len(rules) if isinstance(rules, list) else 0
    kept = {
        moved: place
        for key, place in below.places.items()
        if not _is_replaced(moved := _moved(key, count), below.raw, above.raw)
    }
    return Written(raw=_merged(below.raw, above.raw), places={**kept, **above.places})


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merged(before, value)
        elif key == "guest" and isinstance(before, list) and isinstance(value, list):
            merged[key] = [*value, *before]
        else:
            merged[key] = value
    return merged


def _moved(key: KeyPath, count: int) -> KeyPath:
    """A rule further down has a higher number."""
    if len(key) > 1 and key[0] == "guest" and isinstance(key[1], int):
        return ("guest", key[1] + count, *key[2:])
    return key


def _is_replaced(key: KeyPath, below: Any, above: Any) -> bool:
    """Whether a place is inside a list that another one stands for now."""
    for step in key:
        if step == "guest" or not isinstance(above, dict) or step not in above:
            return False
        below, above = below.get(step) if isinstance(below, dict) else None, above[step]
        if isinstance(below, list):
            return True
    return False
