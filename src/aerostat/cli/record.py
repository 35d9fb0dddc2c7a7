"""``aerostat record``: take out what the daemon recorded."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from aerostat.cli.options import ConfigPath, StorePath
from aerostat.cli.progress import counting
from aerostat.cli.remembered import chosen_store_path, parsed_since
from aerostat.ports.errors import AerostatError
from aerostat.store import StoreReader, open_store
from aerostat.store.recording import RecordingWriter, export_recording
from aerostat.units import format_size

record_app = typer.Typer(help="Take out what the daemon recorded.", no_args_is_help=True)


class WouldOverwriteError(AerostatError):
    """The file is there already."""


@record_app.callback()
def _record() -> None:
    """Take out what the daemon recorded."""


@record_app.command()
def export(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="The Parquet file to write.")],
    since: Annotated[
        str | None, typer.Option("--since", help="How far back: 10m, 1h, 2d; all, if not said.")
    ] = None,
    thinned: Annotated[
        bool,
        typer.Option(
            "--thinned",
            help="What is kept anyway: every 10 s, later every 5 min; for plan, not replay.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
    store: StorePath = None,
    config: ConfigPath = None,
) -> None:
    """Write samples and decisions to one Parquet file, for replay, plan, or a tool of yours."""
    since_s = None if since is None else parsed_since(since)
    if recording.exists() and not force:
        raise WouldOverwriteError(f"{recording} is there already; --force writes over it")
    if not recording.absolute().parent.is_dir():
        raise WouldOverwriteError(f"{recording}: there is no directory to write it into")
    console = Console(stderr=True)
    with open_store(chosen_store_path(store, config)) as reader:
        written = _exported(reader, recording, since_s, console, is_full=not thinned)
    size = format_size(recording.stat().st_size)
    typer.echo(
        f"{recording}: {written.rounds} rounds of {written.guests} guests, "
        f"{'thinned' if thinned else 'in full'}, {size}",
        err=True,
    )


def _exported(
    reader: StoreReader, path: Path, since_s: float | None, console: Console, *, is_full: bool
) -> RecordingWriter:
    now_wall_s = time.time()
    with counting(console, "rounds written") as count:
        return export_recording(
            reader,
            path,
            since_wall_s=0.0 if since_s is None else now_wall_s - since_s,
            until_wall_s=float("inf"),
            is_full=is_full,
            told=lambda _parts, rounds, _guests: count(rounds),
        )
