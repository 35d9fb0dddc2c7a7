"""Runs and shows ``aerostat lab bench --burst``."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from aerostat.cli.options import OutputFormat
from aerostat.lab.burst import burst_document, burst_table, measure_bursts
from aerostat.present.text import document_text


def show_burst(
    repeats: int, seed: int, output: OutputFormat, directory: Path, *, is_quiet: bool
) -> None:
    """Measure on a real guest, write the raw result, print the table or the document.

    Raises:
        AerostatError: no guests can be had here.
    """
    console = Console(stderr=True)

    def tell(words: str) -> None:
        if not is_quiet:
            console.print(f"... {words}", style="dim")

    found = asyncio.run(measure_bursts(repeats, seed, tell))
    text = document_text(burst_document(found))
    raw = directory / "aerostat-burst.json"
    raw.write_text(text + "\n")
    if output is OutputFormat.JSON:
        typer.echo(text)
        return
    out = Console()
    out.print(burst_table(found))
    for line in found.notes:
        out.print(line, style="dim")
    console.print(f"\nRaw result: {raw}", style="dim")
