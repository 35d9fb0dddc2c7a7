"""Runs and shows ``aerostat lab bench --application redis``."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from aerostat.cli.options import OutputFormat
from aerostat.lab.application.run import ApplicationPlan, compare_on_redis
from aerostat.lab.application.table import application_document, application_table, discarded
from aerostat.present.text import document_text

APPLICATIONS = ("redis",)


def show_application(
    plan: ApplicationPlan, output: OutputFormat, directory: Path, *, is_quiet: bool
) -> None:
    """Measure on real guests, write the raw result, print the table or the document.

    Raises:
        AerostatError: guests, or the application in them, cannot be had here.
    """
    console = Console(stderr=True)

    def tell(words: str) -> None:
        if not is_quiet:
            console.print(f"... {words}", style="dim")

    found = asyncio.run(compare_on_redis(plan, tell))
    text = document_text(application_document(found))
    raw = directory / "aerostat-application.json"
    raw.write_text(text + "\n")
    if output is OutputFormat.JSON:
        typer.echo(text)
        return
    out = Console()
    out.print(application_table(found))
    out.print()
    for line in (*discarded(found), *found.notes):
        out.print(line, style="dim")
    console.print(f"\nRaw result: {raw}", style="dim")
