"""``aerostat simulate``: what if: policies against each other on simulated hosts."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from aerostat.cli.options import Output, OutputFormat
from aerostat.cli.shares import parse_share
from aerostat.policy.params import PolicyName
from aerostat.ports.errors import AerostatError
from aerostat.present.text import document_text
from aerostat.units import parse_duration, parse_size

if TYPE_CHECKING:
    from aerostat.sim.workers import Crew

OTHERS_MOST = 0.8
LOOKS = 240
"""Points of each plot."""


class MissingExtraError(AerostatError):
    """The compiler that the simulator runs on is not installed."""

    exit_status = 2


def simulate(
    worlds: Annotated[
        list[str],
        typer.Argument(
            metavar="WORLD...",
            help="A scenario (.toml), a trace (.csv, .parquet, .npz, a folder of the GWA's layout, "
            "a recording), or a fleet: mixed, diurnal, bursty, batch, boot-storm, patch-night, "
            "correlated.",
        ),
    ],
    policy: Annotated[
        list[PolicyName] | None, typer.Option(help="May be repeated; all if not said.")
    ] = None,
    overcommit: Annotated[
        list[float] | None,
        typer.Option(help="Sum of the VMs' RAM over the host's for them. May be repeated; 3."),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Of fleets, and of who stands on which host. May be repeated; 1."),
    ] = None,
    hosts: Annotated[
        int | None,
        typer.Option(min=1, help="So many; if not said, as many as a trace fills, or 6."),
    ] = None,
    vms_per_host: Annotated[int, typer.Option(min=1, max=1000, help="VMs on each host.")] = 16,
    tick: Annotated[
        str | None,
        typer.Option(
            help="How often policies are asked and balloons move; up to 10s, as fits a sample."
        ),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=3660, help="Of a trace, from its start; of a fleet, 1 if not said."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse traces with malformed rows.")
    ] = False,
    sample: Annotated[
        str | None,
        typer.Option(
            help="Resample traces to this; by default as they come, and recordings to 10s."
        ),
    ] = None,
    smallest: Annotated[
        str | None,
        typer.Option(help="VMs with less RAM are left out; 1GiB of a trace, none of a recording."),
    ] = None,
    largest: Annotated[str, typer.Option(help="VMs of a trace with more RAM are left out.")] = (
        "64GiB"
    ),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Run on the Dask cluster at tcp://HOST:8786 instead.")
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Fleets with kernels, caches, swap devices and hosts that swap."
        ),
    ] = False,
    reporting: Annotated[
        bool, typer.Option("--reporting", help="With --full: guests report free pages.")
    ] = False,
    pool: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="With --full: of a host's RAM, zswap's pool; Linux: 20%."
        ),
    ] = None,
    scan_rate: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="With --full: KSM scans so much a second; Linux: 20MiB."),
    ] = None,
    identical: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="With --full: of a VM's RAM, equal to its neighbours'."),
    ] = None,
    others: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="With --full: of a host's RAM, held by its own programs."
        ),
    ] = None,
    constants: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_FILE",
            help="With --full: fitted to real guests: tcg, or a file of lab calibrate.",
        ),
    ] = None,
    interpreted: Annotated[
        bool, typer.Option("--interpreted", help="Without compiling: the same, much slower.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a report with plots to this file.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write one scenario's run as a recording, for replay and plan."
        ),
    ] = None,
    output: Output = OutputFormat.TABLE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Let policies share simulated hosts, and compare what guests lacked under each."""
    library = _library()
    started = datetime.now(UTC)
    ratios = tuple(overcommit or [3.0])
    if any(not 0.1 <= ratio <= 100 for ratio in ratios):
        raise typer.BadParameter("a ratio is between 0.1 and 100", param_hint="--overcommit")
    if not all(world.strip() for world in worlds):
        raise typer.BadParameter("a world has a name, or a path", param_hint="WORLD")
    settings = library.Settings(
        policies=tuple(dict.fromkeys(policy or PolicyName)),
        overcommits=tuple(dict.fromkeys(ratios)),
        seeds=tuple(dict.fromkeys(seed or [1])),
        hosts=hosts,
        guests_a_host=vms_per_host,
        tick_s=None if tick is None else _seconds(tick, "--tick"),
        days=days,
        reading=library.Reading(
            is_strict=strict,
            sample_s=None if sample is None else _seconds(sample, "--sample"),
            smallest_bytes=None if smallest is None else _size(smallest, "--smallest"),
            largest_bytes=_size(largest, "--largest"),
        ),
        looks=0 if html is None else LOOKS,
        full=_physics(
            library,
            is_full=full,
            reporting=reporting,
            scan_rate=scan_rate,
            constants=constants,
            shares={"--pool": pool, "--identical": identical, "--others": others},
        ),
        is_compiled=not interpreted,
    )
    for option, path in (("--html", html), ("--record", record)):
        if path is not None and not path.absolute().parent.is_dir():
            raise typer.BadParameter(f"{path.parent} is not a directory", param_hint=option)
        if path is not None and path.is_dir():
            raise typer.BadParameter(f"{path} is a directory: name a file", param_hint=option)
    opened = library.worlds_of(worlds, settings)
    job = None if record is None else library.recorded_job(opened, seed)
    console = Console(stderr=True)
    _tell_notes(console, opened, is_quiet=quiet)
    bar = _progress(console, compiles=not interpreted, is_quiet=quiet)
    with _crew(library, cluster, workers) as crew, bar as progress:
        contest = library.run_contest(opened, seed, crew, progress)
        hands = crew.workers
    document = library.contest_document(contest, settings, started=started, workers=hands)
    # First what was found: what cannot be written must not take it along.
    if output is OutputFormat.JSON:
        typer.echo(document_text(document))
    else:
        typer.echo(library.contest_table(contest))
    if html is not None:
        library.write_report(document, html)
        console.print(f"Report: {html}", style="dim", soft_wrap=True)
    if record is not None:
        rounds = library.write_recording(job, record)
        console.print(f"Recording: {record}, {rounds} rounds", style="dim", soft_wrap=True)


_SHARES = {"--pool": "pool_ratio", "--identical": "identical_ratio", "--others": "other_ratio"}


def _physics(
    library: Any,
    *,
    is_full: bool,
    reporting: bool,
    scan_rate: str | None,
    constants: str | None,
    shares: Mapping[str, str | None],
) -> Any:
    """What guests and hosts are made of; ``None``: physics are simplified."""
    said = {option: text for option, text in shares.items() if text is not None}
    others = {"--scan-rate": scan_rate, "--constants": constants, "--reporting": reporting or None}
    asked = [*said, *(option for option, value in others.items() if value is not None)]
    if not is_full:
        if asked:
            raise typer.BadParameter("simplified physics have none: add --full", param_hint=asked)
        return None
    ratios = {_SHARES[option]: parse_share(text, option) for option, text in said.items()}
    if ratios.get("other_ratio", 0.0) > OTHERS_MOST:
        raise typer.BadParameter("that leaves guests next to nothing", param_hint="--others")
    rate = 0.0 if scan_rate is None else float(_size(scan_rate, "--scan-rate"))
    full = library.FullPhysics(is_reporting=reporting, scan_rate=rate, **ratios)
    return full if constants is None else library.with_constants(full, constants)


def _library() -> Any:
    """What does the work; it takes numpy and numba, which the daemon does without.

    Raises:
        MissingExtraError: they are not installed.
    """
    try:
        from aerostat.simulate import library  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] in ("numpy", "numba"):
            raise MissingExtraError(
                f"simulating needs {error.name}, which is not installed: "
                "pip install '.[sim]' in a checkout"
            ) from error
        raise
    return library


def _seconds(text: str, option: str) -> float:
    try:
        duration_s = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
    if not 0.001 <= duration_s <= 86_400:
        raise typer.BadParameter(f"{text} is not between 1ms and 1d", param_hint=option)
    return duration_s


def _size(text: str, option: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _crew(library: Any, cluster: str | None, workers: int | None) -> "AbstractContextManager[Crew]":
    if cluster is not None:
        at: AbstractContextManager[Crew] = library.cluster_at(cluster)
        return at
    cores = len(os.sched_getaffinity(0))
    return nullcontext(library.crew_of(workers or cores))


def _tell_notes(console: Console, worlds: list[Any], *, is_quiet: bool) -> None:
    """What was skipped, cut or filled in traces: said even in a pipe, unless nobody wants it."""
    for world in worlds:
        for note in () if is_quiet else getattr(world, "notes", ()):
            console.print(f"{world.name}: {note}", style="dim", soft_wrap=True, highlight=False)


_COMPILES = "the first time, it compiles for about a minute"
"""Said until there is something to count: nothing seems to happen meanwhile."""


class _progress(AbstractContextManager[Any]):  # noqa: N801 - used like a function
    """A bar on a terminal, nothing in a pipe."""

    def __init__(self, console: Console, *, compiles: bool, is_quiet: bool) -> None:
        self._first_words = _COMPILES if compiles else ""
        self._is_shown = console.is_terminal and not is_quiet
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}", style="dim"),
            console=console,
            transient=True,
            disable=not self._is_shown,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Any:
        self._bar.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _tell(self, name: str, ratio: float) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(name, total=1.0, words=self._first_words)
        words = "" if ratio > 0 else self._first_words
        self._bar.update(self._tasks[name], completed=ratio, words=words)
