"""Reads a configuration file, or none."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from aerostat.config.config import CommandLine, Config
from aerostat.config.document import Document
from aerostat.config.drop_ins import Place, Written, drop_ins, over, written
from aerostat.config.errors import ConfigError, ConfigProblem
from aerostat.config.lines import KeyPath
from aerostat.config.settings import key_text
from aerostat.config.validate import Finding, validate

_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


DEFAULT_PATH = Path("/etc/aerostat/aerostat.toml")
"""What the service reads."""


def default_config(qmp: Sequence[str] = ()) -> Config:
    """The configuration without a file, for the guests behind these sockets."""
    config = Config(document=Document())
    return config.overlaid(CommandLine(qmp=qmp)) if qmp else config


def load_config(path: Path) -> Config:
    """Read and check a file, and those of ``conf.d`` beside it, which stand over it.

    Raises:
        ConfigError: one cannot be read, is not TOML, or holds something wrong; all of it is told.
    """
    path = path.absolute()
    all_of_it = _written(path)
    for more in drop_ins(path):
        all_of_it = over(all_of_it, _written(more))
    document, findings = validate(all_of_it.raw)
    if findings:
        problems = [_problem(path, all_of_it.places, finding) for finding in findings]
        raise ConfigError(*sorted(problems, key=lambda one: (str(one.path), one.line or 0)))
    return Config(document=document, path=path, places=all_of_it.places)


def _written(path: Path) -> Written:
    text = _read_text(path)
    try:
        return written(path, text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_problem(path, text, str(error))) from error


def stored_config(text: str) -> Config | None:
    """The configuration a daemon ran with, as the store has it; None: this version cannot read it.

    Newer versions have keys that this one does not know.
    """
    try:
        return Config(document=Document.model_validate_json(text))
    except ValidationError:
        return None


def _read_text(path: Path) -> str:
    def refuse(message: str, line: int | None = None) -> ConfigError:
        return ConfigError(ConfigProblem(path=path, line=line, key=None, message=message))

    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise refuse(
            "there is no such file; name another with -c, or start without a file and "
            'say where the guests are: --qmp "/run/vm/*.qmp"'
        ) from error
    except IsADirectoryError as error:
        raise refuse("this is a directory; name the file in it") from error
    except PermissionError as error:
        raise refuse("this user may not read it; allow it with chmod or chown") from error
    except OSError as error:
        raise refuse(f"it cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refuse("this line is not UTF-8 text; save the file as UTF-8", line) from error


def _syntax_problem(path: Path, text: str, message: str) -> ConfigProblem:
    place = _SYNTAX_PLACE.search(message)
    line = text.count("\n") + (not text.endswith("\n"))
    if place is not None and place[1] is not None:
        line = int(place[1])
    words = _SYNTAX_PLACE.sub("", message)
    source = text.split("\n")[line - 1].strip()[:60] if text else ""
    return ConfigProblem(
        path=path,
        line=line,
        key=None,
        message=f"this is not TOML: {words[:1].lower()}{words[1:]}, in `{source}`; "
        'write key = value, with text, sizes and durations in "quotes"',
    )


def _problem(path: Path, places: Mapping[KeyPath, Place], finding: Finding) -> ConfigProblem:
    where = finding.where
    while where and where not in places:
        where = where[:-1]
    place = places.get(where)
    return ConfigProblem(
        path=path if place is None else place.path,
        line=None if place is None else place.line,
        key=key_text(finding.where),
        message=finding.message,
    )
