"""``aerostat config``: check a configuration, and show the one in force."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from aerostat.cli.asked import Ca, Daemon, SocketPath, UnreachableError, Url, WrongUsageError
from aerostat.cli.options import Output, OutputFormat
from aerostat.config import DEFAULT_PATH, Config, default_config, load_config

config_app = typer.Typer(help="Check a configuration, or show the one in force.")

SCHEMA = "aerostat.config/1"

ShownConfig = Annotated[
    Path | None,
    typer.Option("-c", "--config", help="This TOML file, whatever a daemon has read."),
]


@config_app.command()
def check(path: Annotated[Path, typer.Argument(help="The TOML file to check.")]) -> None:
    """Say whether a file is a good configuration; every problem with its line."""
    load_config(path)
    typer.echo(f"{path}: good")


@config_app.command()
def show(
    config: ShownConfig = None,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show every setting, its value, and where the value came from.

    Of the running daemon: what is in force. Where none answers, of the file that it would read,
    /etc/aerostat/aerostat.toml, or the defaults.
    """
    if config is not None:
        if (socket, url, ca) != (None, None, None):
            raise WrongUsageError("--config reads a file: give no --socket, --url or --ca with it")
        document = _of_config(load_config(config), str(config))
    elif (socket, url, ca) != (None, None, None):
        document = _of_daemon(Daemon(socket, url, ca))
    else:
        document = _in_force()
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(document, indent=2))
        return
    _print(document)


def _in_force() -> dict[str, Any]:
    try:
        return _of_daemon(Daemon(None, None))
    except UnreachableError:
        if DEFAULT_PATH.exists():
            return _of_config(load_config(DEFAULT_PATH), str(DEFAULT_PATH))
        return _of_config(default_config(), "no daemon answers, and there is no file: the defaults")


def _of_daemon(daemon: Daemon) -> dict[str, Any]:
    with closing(daemon):
        told: dict[str, Any] = daemon.get("/v1/config")
    return {**told, "source": f"the daemon at {daemon.where}"}


def _of_config(config: Config, source: str) -> dict[str, Any]:
    settings = [
        {"key": s.key, "value": s.value, "origin": str(s.origin)} for s in config.settings()
    ]
    return {"schema": SCHEMA, "settings": settings, "source": source}


def _print(document: dict[str, Any]) -> None:
    # The end of a place is its line: what does not fit goes on below, and nothing is cut off.
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("setting", overflow="fold")
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for setting in document["settings"]:
        table.add_row(setting["key"], setting["value"] or "not set", setting["origin"])
    console = Console(highlight=False, markup=False)
    console.print(document["source"])
    console.print(table)
