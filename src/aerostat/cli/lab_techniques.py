"""Runs and shows ``aerostat lab techniques``."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from aerostat.cli.options import OutputFormat
from aerostat.lab.recording import Experiment
from aerostat.lab.report import write_report
from aerostat.lab.result import result_document
from aerostat.lab.techniques.experiment import TechniqueComparison
from aerostat.lab.techniques.plan import TechniquePlan
from aerostat.lab.techniques.table import (
    cpu_table,
    discarded_lines,
    memory_table,
    take_back_table,
    techniques_table,
    words_table,
)
from aerostat.present.text import document_text


def show_techniques(plan: TechniquePlan, *, is_quiet: bool) -> Experiment:
    """Run the plan on real guests, telling what is being done.

    Raises:
        AerostatError: guests, or their cgroup, cannot be had here.
    """
    console = Console(stderr=True)

    def tell(words: str) -> None:
        if not is_quiet:
            console.print(f"... {words}", style="dim")

    return asyncio.run(TechniqueComparison(plan, tell).run())


def present_techniques(experiment: Experiment, output: OutputFormat, directory: Path) -> None:
    """Write report and raw result; print the table, or the document."""
    document = result_document(experiment)
    text = document_text(document)
    report, raw = (directory / f"aerostat-techniques.{ending}" for ending in ("html", "json"))
    raw.write_text(text + "\n")
    write_report(document, report)
    if output is OutputFormat.JSON:
        typer.echo(text)
        return
    out = Console()
    out.print(techniques_table(document))
    out.print()
    out.print(memory_table(document))
    out.print()
    taken = take_back_table(document)
    if taken is not None:
        out.print(taken)
        out.print()
    out.print(cpu_table(document))
    out.print()
    out.print(words_table(document))
    out.print()
    for note in (*discarded_lines(document), *experiment.notes):
        out.print(note, style="dim")
    Console(stderr=True).print(f"\nReport: {report}   Raw result: {raw}", style="dim")
