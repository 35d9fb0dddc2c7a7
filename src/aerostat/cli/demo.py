"""``aerostat demo``: real guests, balanced before your eyes."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from aerostat.cli.options import Output, OutputFormat
from aerostat.lab.accelerator import qemu_version
from aerostat.lab.experiment.demo import plan_demo, with_guests
from aerostat.lab.experiment.show import has_qemu, show_real, show_simulated
from aerostat.lab.recording import Experiment
from aerostat.lab.report import write_report
from aerostat.lab.result import result_document, result_table
from aerostat.lab.result.table import verdict_text
from aerostat.lab.schedule import Schedule
from aerostat.lab.schedule_file import load_packaged_schedule, load_schedule
from aerostat.present.text import document_text

DEFAULT_SECONDS = 95.0
"""What the arms take together; booting comes on top, and the whole stays below two minutes."""

DEFAULT_GUESTS = 3


def demo(
    real: Annotated[
        bool, typer.Option("--real", help="Insist on real guests; fail where there is no QEMU.")
    ] = False,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Simulated guests, labelled as such everywhere.")
    ] = False,
    guests: Annotated[
        int | None, typer.Option(min=2, max=12, help="How many guests; three if not said.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=60, max=3600, help="How long the arms take; more gives repeats.")
    ] = DEFAULT_SECONDS,
    schedule: Annotated[
        Path | None, typer.Option(help="A schedule of your own (TOML) instead of the built-in.")
    ] = None,
    output: Output = OutputFormat.TABLE,
    directory: Annotated[
        Path, typer.Option(help="Where the report and the raw result are written.")
    ] = Path(),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Boot three real guests and balance them before your eyes, against an even split."""
    if real and simulated:
        raise typer.BadParameter("--real and --simulated exclude each other")
    if not directory.is_dir():
        raise typer.BadParameter(f"{directory} is not a directory", param_hint="--directory")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"{directory} may not be written to", param_hint="--directory")
    plan = plan_demo(_schedule(schedule, guests), seconds)
    console = Console(stderr=True)
    if real:
        qemu_version()  # told now, not after the guest image has been built
    elif not simulated and not has_qemu():
        console.print("No QEMU here (qemu-system-x86_64): running the same on SIMULATED guests.")
        simulated = True
    show = show_simulated if simulated else show_real
    experiment = show(plan, console, is_quiet=quiet)
    present(experiment, output, directory, console)


def _schedule(path: Path | None, guests: int | None) -> Schedule:
    if path is None:
        return with_guests(load_packaged_schedule("rotate"), guests or DEFAULT_GUESTS)
    if guests is not None:
        raise typer.BadParameter("a schedule names its guests itself", param_hint="--guests")
    return load_schedule(path)


def present(
    experiment: Experiment, output: OutputFormat, directory: Path, console: Console
) -> None:
    """Write report and raw result; print the table, or the document."""
    document = result_document(experiment)
    text = document_text(document)
    report, raw = (
        directory / f"aerostat-{experiment.name}.{ending}" for ending in ("html", "json")
    )
    raw.write_text(text + "\n")
    write_report(document, report)
    if output is OutputFormat.JSON:
        typer.echo(text)
        return
    out = Console()
    out.print()
    out.print(result_table(document))
    out.print()
    out.print(verdict_text(document))
    console.print(f"\nReport: {report}   Raw result: {raw}", style="dim")
