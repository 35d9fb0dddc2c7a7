"""What the parser knows of verbs and options, as plain values that pages are written from."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from aerostat.cli.main import app

PROGRAM = "aerostat"

STATUSES = (
    (0, "done"),
    (1, "failed"),
    (2, "wrong usage or configuration"),
    (3, "the daemon is not reachable"),
    (4, "refused: for safety, or because the token is wrong or may only read"),
)
"""Exit statuses; ``tests/cli/test_pages.py`` compares them with the error tree."""

VARIABLES = (
    ("AEROSTAT_STATE", "the folder of database, socket and orders, in place of the usual"),
    ("AEROSTAT_TOKEN", "the token for a daemon on TCP (--url)"),
    ("SSL_CERT_FILE", "who is trusted with --url, in place of the system's store"),
    ("AEROSTAT_CACHE", "the folder that the lab keeps guests and packages in"),
    ("COLUMNS", "how wide tables are, where there is no terminal"),
)  # fmt: skip
"""What is read from the environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An option or an argument: how it is written, and what it is for."""

    written: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb with all it takes."""

    path: str
    usage: str
    words: str
    arguments: tuple[Entry, ...]
    options: tuple[Entry, ...]


def verbs() -> tuple[Verb, ...]:
    """Every verb that help shows, in its order; those of groups after their group's name."""
    root = typer.main.get_command(app)
    context = root.make_context(PROGRAM, [], resilient_parsing=True)
    return tuple(_walk(root, context))


def root_options() -> tuple[Entry, ...]:
    """Options that stand before any verb."""
    root = typer.main.get_command(app)
    context = root.make_context(PROGRAM, [], resilient_parsing=True)
    return tuple(_entries(root, context, "option"))


def _walk(group: Any, context: Any) -> Iterator[Verb]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        if hasattr(command, "commands"):
            yield from _walk(command, inner)
        else:
            yield _verb(command, inner)


def _verb(command: Any, context: Any) -> Verb:
    arguments = tuple(_entries(command, context, "argument"))
    options = tuple(_entries(command, context, "option"))
    pieces = [context.command_path, *(["[OPTIONS]"] if options else [])]
    required = [p.required for p in command.get_params(context) if p.param_type_name == "argument"]
    for argument, is_required in zip(arguments, required, strict=True):
        pieces.append(argument.written if is_required else f"[{argument.written}]")
    return Verb(
        path=context.command_path.removeprefix(f"{PROGRAM} "),
        usage=" ".join(pieces),
        words=_one_line(inspect.getdoc(inspect.unwrap(command.callback)) or ""),
        arguments=arguments,
        options=options,
    )


def _entries(command: Any, context: Any, kind: str) -> Iterator[Entry]:
    # Options that typer adds by itself (--help) are not ours to describe, and its wording changes.
    own = inspect.unwrap(command.callback)
    hints = get_type_hints(own, include_extras=True)
    for parameter in command.get_params(context):
        if parameter.param_type_name == kind and parameter.name in hints:
            declared = inspect.signature(own).parameters[parameter.name].default
            yield _entry(parameter, hints[parameter.name], declared)


def _entry(parameter: Any, hint: Any, declared: Any) -> Entry:
    info = _info(hint, declared)
    kind = _plain_type(hint)
    value = parameter.metavar or _placeholder(kind)
    if parameter.param_type_name == "argument":
        written = (parameter.metavar or parameter.name.upper()).strip("[]")
    elif kind is bool:
        written = ", ".join((*parameter.opts, *parameter.secondary_opts))
    else:
        written = f"{', '.join(parameter.opts)} {value}"
    words = [_one_line(parameter.help or "")]
    bounds = [("at least", getattr(info, "min", None)), ("at most", getattr(info, "max", None))]
    if said := ", ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None):
        words.append(f"{said.capitalize()}.")
    default = declared.default if _is_info(declared) else declared
    if isinstance(default, str | Path) or (type(default) in {int, float}):
        words.append(f"(default: {default})")
    return Entry(written=written, words=" ".join(word for word in words if word))


def _info(hint: Any, declared: Any) -> Any:
    """The declaration of an option: in its annotation, or as its default."""
    found = [extra for extra in getattr(hint, "__metadata__", ()) if _is_info(extra)]
    return found[0] if found else declared


def _is_info(value: Any) -> bool:
    return isinstance(value, OptionInfo | ArgumentInfo)


def _plain_type(hint: Any) -> Any:
    """The type of one value: without annotations, ``None`` and the list around it."""
    if hasattr(hint, "__metadata__"):
        hint = hint.__origin__
    inner = [kind for kind in get_args(hint) if kind is not NoneType]
    return _plain_type(inner[0]) if inner else hint


def _placeholder(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(choice.value) for choice in kind)
    return {Path: "PATH", int: "N", float: "NUMBER"}.get(kind, "TEXT")


def _one_line(text: str) -> str:
    return " ".join(text.split())
