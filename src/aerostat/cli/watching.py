"""``--watch``: a picture drawn again every second, or a JSON document a line."""

import json
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.live import Live

from aerostat.cli.options import OutputFormat

WATCH_S = 1.0

Watch = Annotated[
    bool,
    typer.Option(
        "--watch", "-w", help="Again every second, until Ctrl-C; -o json: a document a line."
    ),
]
Picture = Callable[[dict[str, Any], int], RenderableType]
"""Draws a document, so wide."""


def present(
    ask: Callable[[], dict[str, Any]], picture: Picture, output: OutputFormat, *, watch: bool
) -> None:
    """Print what is asked for, once or for as long as somebody looks."""
    if output is OutputFormat.JSON:
        _as_json(ask, watch=watch)
        return
    console = Console(highlight=False)
    first = picture(ask(), console.width)
    if not watch:
        console.print(first)
        return
    if not console.is_terminal:  # one picture below the other: nothing can be drawn over
        console.print(first)
        while True:
            time.sleep(WATCH_S)
            console.print(picture(ask(), console.width))
    with Live(first, console=console, auto_refresh=False) as live:
        while True:
            time.sleep(WATCH_S)
            live.update(picture(ask(), console.width), refresh=True)


def _as_json(ask: Callable[[], dict[str, Any]], *, watch: bool) -> None:
    if not watch:
        typer.echo(json.dumps(ask(), indent=2))
        return
    while True:
        typer.echo(json.dumps(ask()))  # a line of its own, written at once
        time.sleep(WATCH_S)
