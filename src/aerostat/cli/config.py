"""``aerostat config``: check a configuration, and show the one in force."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from aerostat.cli.options import ConfigPath, Output, OutputFormat
from aerostat.cli.run import effective_config
from aerostat.config import load_config

config_app = typer.Typer(help="Check a configuration, or show the one in force.")


@config_app.command()
def check(path: Annotated[Path, typer.Argument(help="The TOML file to check.")]) -> None:
    """Say whether a file is a good configuration; every problem with its line."""
    load_config(path)
    typer.echo(f"{path}: good")


@config_app.command()
def show(config: ConfigPath = None, output: Output = OutputFormat.TABLE) -> None:
    """Show every setting, its value, and where the value came from."""
    settings = effective_config(config).settings()
    if output is OutputFormat.JSON:
        rows = [{"key": s.key, "value": s.value, "origin": str(s.origin)} for s in settings]
        typer.echo(json.dumps({"schema": "aerostat.config/1", "settings": rows}, indent=2))
        return
    table = Table("setting", "value", "from", box=None, header_style="bold")
    for setting in settings:
        table.add_row(setting.key, setting.value or "not set", str(setting.origin))
    Console().print(table)
