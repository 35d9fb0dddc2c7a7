"""``aerostat completion``: what a shell needs to complete verbs, options and values."""

from enum import StrEnum
from typing import Annotated

import typer
from typer import completion as shells

PROGRAM = "aerostat"


class Shell(StrEnum):
    """Shells whose completion is tested."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="For which shell.")]) -> None:
    """Print completion for a shell: source it, or put it where the shell looks for it."""
    variable = f"_{PROGRAM.upper()}_COMPLETE"
    # What --show-completion prints; typer exports it in fact, not in name.
    written = shells.get_completion_script(  # type: ignore[attr-defined]
        prog_name=PROGRAM, complete_var=variable, shell=shell.value
    )
    typer.echo(written)
