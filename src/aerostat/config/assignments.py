"""Settings given one by one, as ``advanced.headroom=20%``, over a configuration."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aerostat.config.config import Config
from aerostat.config.errors import ConfigError, ConfigProblem
from aerostat.config.lines import KeyPath
from aerostat.config.settings import key_text
from aerostat.config.validate import validate

_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


def assigned(config: Config, assignments: Sequence[str]) -> Config:
    """The configuration with these settings in it, each checked as if it stood in the file.

    Raises:
        ConfigError: one of them is no ``key=value``, names no setting, or has a wrong value.
    """
    raw: dict[str, Any] = config.document.model_dump(mode="json", exclude_none=True)
    for text in assignments:
        key, equals, value = text.partition("=")
        path = _path(key.strip())
        if not equals or not path:
            raise _refused(text, "write a key, =, and a value, such as advanced.headroom=20%")
        _put(raw, path, _value(value.strip()), text)
    document, findings = validate(raw)
    if findings:
        raise ConfigError(
            *(
                ConfigProblem(
                    path=None, line=None, key=f"--set {key_text(f.where)}", message=f.message
                )
                for f in findings
            )
        )
    return replace(config, document=document)


def _path(key: str) -> KeyPath:
    steps: list[str | int] = []
    for part in key.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            return ()
        steps.append(match[1])
        if match[2] is not None:
            steps.append(int(match[2]))
    return tuple(steps)


def _value(text: str) -> Any:
    """As TOML has it; what is none there, such as 20%, is text without its quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(raw: dict[str, Any], path: KeyPath, value: Any, text: str) -> None:
    place: Any = raw
    for step in path[:-1]:
        if isinstance(step, str) and isinstance(place, dict):
            place = place.setdefault(step, {})
        elif isinstance(step, int) and isinstance(place, list) and step < len(place):
            place = place[step]
        else:
            raise _refused(text, f"there is no {key_text(path[:-1])} in this configuration")
    if not isinstance(place, dict) or not isinstance(path[-1], str):
        raise _refused(text, f"{key_text(path[:-1])} has no such key")
    place[path[-1]] = value


def _refused(text: str, message: str) -> ConfigError:
    return ConfigError(ConfigProblem(path=None, line=None, key=f"--set {text}", message=message))
