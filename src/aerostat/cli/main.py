"""The ``aerostat`` command: all verbs, and how errors become exit statuses."""

import sys
from typing import NoReturn

import typer

from aerostat import __version__
from aerostat.cli.admit import admit
from aerostat.cli.completion import completion
from aerostat.cli.config import config_app
from aerostat.cli.demo import demo
from aerostat.cli.doctor import doctor
from aerostat.cli.events import events
from aerostat.cli.explain import explain
from aerostat.cli.lab import lab_app
from aerostat.cli.plan import plan
from aerostat.cli.record import record_app
from aerostat.cli.replay import replay
from aerostat.cli.run import run
from aerostat.cli.show import show
from aerostat.cli.simulate import simulate
from aerostat.cli.status import status
from aerostat.cli.steer import hold, reclaim, release, set_limits, unhold
from aerostat.cli.top import top
from aerostat.ports.errors import AerostatError

app = typer.Typer(
    name="aerostat",
    help="Balances the memory of a virtual-machine host: safely, and it says why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(run)
app.command()(doctor)
app.command()(status)
app.command(name="list")(status)
app.command()(show)
app.command()(top)
app.command()(explain)
app.command()(events)
app.command(name="set")(set_limits)
app.command()(hold)
app.command()(unhold)
app.command()(release)
app.command()(reclaim)
app.command()(admit)
app.command()(replay)
app.command()(simulate)
app.command()(plan)
app.add_typer(lab_app, name="lab")
app.add_typer(config_app, name="config")
app.add_typer(record_app, name="record")
app.command()(completion)


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


def _fail(error: AerostatError) -> NoReturn:
    typer.echo(f"aerostat: {error}", err=True)
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
