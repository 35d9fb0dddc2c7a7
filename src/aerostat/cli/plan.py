"""``aerostat plan``: how many VMs fit, at what risk."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from aerostat.cli.options import Output, OutputFormat
from aerostat.cli.planning import plan_text
from aerostat.cli.progress import counting
from aerostat.cli.shares import parse_share
from aerostat.store.recording.parquet import MissingLibraryError
from aerostat.units import parse_size


def plan(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="TRACE_OR_RECORDING", help="What VMs used: a trace, or a recording of a daemon."
        ),
    ],
    host_memory: Annotated[
        str, typer.Option("--host-memory", metavar="SIZE", help="RAM of a host: 256GiB.")
    ],
    hosts: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="How many hosts; of two or more, one may be lost."),
    ] = 1,
    unmet: Annotated[
        str, typer.Option(metavar="SHARE", help="Of what VMs want, so much may lack.")
    ] = "0.5%",
    pressure: Annotated[
        str, typer.Option(metavar="SHARE", help="Of the time, a host may be short for so much.")
    ] = "1%",
    resamples: Annotated[
        int, typer.Option(min=2, max=1000, help="Of VMs and days: more make the range surer.")
    ] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 1,
    reported: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Of what is no longer in use, free page reporting gives so much back.",
        ),
    ] = "15%",
    pool: Annotated[
        str, typer.Option(metavar="SHARE", help="Of a host's RAM, zswap's pages may take so much.")
    ] = "20%",
    compressed: Annotated[
        str, typer.Option(metavar="SHARE", help="So much is left of a page there.")
    ] = "50%",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse malformed rows, in place of skipping them.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan as a page, too.")
    ] = None,
    output: Output = OutputFormat.TABLE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """How many VMs of this kind fit on a host, at what risk, and what to declare for them."""
    size = _size(host_memory)
    bounds = parse_share(unmet, "--unmet"), parse_share(pressure, "--pressure")
    if html is not None and not html.absolute().parent.is_dir():
        raise typer.BadParameter("there is no directory to write it into", param_hint="--html")
    if html is not None and html.is_dir():
        raise typer.BadParameter(f"{html} is a directory: name a file", param_hint="--html")
    planner = _planner()
    trace = planner.source.read(source, host_bytes=size, is_strict=strict)
    question = planner.question.Question(
        host_bytes=size,
        hosts=hosts,
        unmet_ratio_max=bounds[0],
        pressed_ratio_max=bounds[1],
        seed=seed,
        resamples=resamples,
        reported_ratio=parse_share(reported, "--reported"),
        pool_ratio=parse_share(pool, "--pool"),
        compressed_ratio=_ratio(compressed),
    )
    crew = planner.workers.crew_of(workers or len(os.sched_getaffinity(0)))
    with counting(Console(stderr=True), "measurements", is_quiet=quiet) as count:
        found = planner.plan.make_plan(
            trace, question, crew=crew, told=lambda done, _what: count(done)
        )
    document = planner.document.plan_document(trace, str(source), found)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(document, indent=2))
    else:
        console = Console()
        console.print(plan_text(document, console.width))
    if html is not None:
        planner.page.write_page(document, html)
        typer.echo(f"\nReport: {html}", err=True)


def _planner() -> Any:
    """Its libraries take a second to load, and an extra to be there: only this verb needs them."""
    try:
        from aerostat.planner import verb  # noqa: PLC0415
    except ImportError as error:
        raise MissingLibraryError(
            "plan takes the simulator's libraries (numpy, numba), which are not installed here: "
            'pip install ".[plan]" in a checkout'
        ) from error
    return verb


def _ratio(text: str) -> float:
    share = parse_share(text, "--compressed")
    if share < 0.01:
        raise typer.BadParameter("no page gets that small: 1% or more", param_hint="--compressed")
    return share


def _size(text: str) -> int:
    try:
        size_bytes = parse_size(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--host-memory") from error
    if not 1 << 20 <= size_bytes <= 1 << 50:
        raise typer.BadParameter(
            f"{text!r} is no host's memory: from 1MiB to 1PiB", param_hint="--host-memory"
        )
    return size_bytes
