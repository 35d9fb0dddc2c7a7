"""The verbs by name. Whoever asks for one does not wait until all others are imported."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

MODULES = {
    "demo": "demo:demo",
    "run": "run:run",
    "doctor": "doctor:doctor",
    "status": "status:status",
    "list": "status:status",
    "show": "show:show",
    "top": "top:top",
    "explain": "explain:explain",
    "events": "events:events",
    "set": "steer:set_limits",
    "hold": "steer:hold",
    "unhold": "steer:unhold",
    "release": "steer:release",
    "reclaim": "steer:reclaim",
    "admit": "admit:admit",
    "replay": "replay:replay",
    "simulate": "simulate:simulate",
    "plan": "plan:plan",
    "completion": "completion:completion",
    "lab": "lab:lab_app",
    "config": "config:config_app",
    "record": "record:record_app",
}
"""Where each is, in the order of help: a function, or a group of verbs."""


class Verbs(Mapping[str, Any]):
    """Commands by name, of which each is made when it is first asked for."""

    def __getitem__(self, name: str) -> Any:
        return _command(name, MODULES[name])

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class VerbGroup(TyperGroup):
    """The root of all verbs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Verbs()  # type: ignore[assignment] # no verb is added or taken away

    def list_commands(self, _context: object) -> list[str]:
        """Names alone, so that completing one makes no other."""
        return list(MODULES)


@cache
def _command(name: str, where: str) -> Any:
    module, _, attribute = where.partition(":")
    verb = getattr(import_module(f"aerostat.cli.{module}"), attribute)
    root = typer.Typer(add_completion=False)
    root.callback()(_nothing)  # with it there is a group, also around a single command
    if isinstance(verb, typer.Typer):
        root.add_typer(verb, name=name)
    else:
        root.command(name=name)(verb)
    group: Any = typer.main.get_command(root)
    return group.commands[name]


def _nothing() -> None:
    """The group is only a shell to make the command in."""
