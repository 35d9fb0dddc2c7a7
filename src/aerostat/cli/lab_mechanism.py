"""Runs and shows ``aerostat lab bench --mechanism``."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from aerostat.cli.options import OutputFormat
from aerostat.lab.mechanism import measure_mechanism, mechanism_document, mechanism_table
from aerostat.lab.mechanism.table import daemon_line
from aerostat.present.text import document_text


def show_mechanism(repeats: int, output: OutputFormat, directory: Path, *, is_quiet: bool) -> None:
    """Measure on real guests, write the raw result, print the table or the document.

    Raises:
        AerostatError: no guests can be had here.
    """
    console = Console(stderr=True)

    def tell(words: str) -> None:
        if not is_quiet:
            console.print(f"... {words}", style="dim")

    found = asyncio.run(measure_mechanism(repeats, tell))
    text = document_text(mechanism_document(found))
    raw = directory / "aerostat-mechanism.json"
    raw.write_text(text + "\n")
    if output is OutputFormat.JSON:
        typer.echo(text)
        return
    out = Console()
    out.print(mechanism_table(found))
    out.print()
    for line in (daemon_line(found.daemon), *found.notes):
        out.print(line, style="dim")
    console.print(f"\nRaw result: {raw}", style="dim")
