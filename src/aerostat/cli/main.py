"""The ``aerostat`` command: all verbs, and how errors become exit statuses."""

import errno
import os
import sys
from typing import NoReturn

import typer

from aerostat import __version__
from aerostat.cli.verbs import VerbGroup
from aerostat.ports.errors import AerostatError
from aerostat.present.printable import printable

app = typer.Typer(
    name="aerostat",
    cls=VerbGroup,
    help="Balances the memory of a virtual-machine host: safely, and it says why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aerostat {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Aerostat."""


def main() -> None:
    """Run the command line; an error of ours is a sentence and an exit status, not a trace."""
    try:
        app(prog_name="aerostat")
    except AerostatError as error:
        _fail(error)
    except BaseExceptionGroup as group:
        # What fails among tasks comes in a group; a sentence about the first is worth more.
        if (ours := first_of_ours(group)) is None:
            raise
        _fail(ours)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _end_without_output(error)


def _end_without_output(error: OSError) -> NoReturn:
    """What was to be printed finds no room: said where there is some, and not tried again."""
    typer.echo(f"aerostat: the output cannot be written: {error.strerror}", err=True)
    os._exit(1)


def _fail(error: AerostatError) -> NoReturn:
    # What it quotes may come from anywhere.
    lines = [printable(line) for line in f"aerostat: {error}".split("\n")]
    typer.echo("\n".join(lines), err=True)
    sys.exit(error.exit_status)


def first_of_ours(group: BaseExceptionGroup[BaseException]) -> AerostatError | None:
    """The first error of ours in a group that holds nothing else; None: something else is in it."""
    ours, others = group.split(AerostatError)
    if ours is None or others is not None:
        return None
    first: BaseException = ours
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, AerostatError) else None
