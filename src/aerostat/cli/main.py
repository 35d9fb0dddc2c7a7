"""The ``aerostat`` command: all verbs, and how errors become exit statuses."""

import sys

import typer

from aerostat import __version__
from aerostat.cli.config import config_app
from aerostat.cli.demo import demo
from aerostat.cli.run import run
from aerostat.ports.errors import AerostatError

app = typer.Typer(
    name="aerostat",
    help="Balances the memory of a virtual-machine host: safely, and it says why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(run)
app.add_typer(config_app, name="config")


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
        app()
    except AerostatError as error:
        typer.echo(f"aerostat: {error}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
