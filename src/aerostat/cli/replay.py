"""``aerostat replay``: decide a recording again, and see what others would have done."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from aerostat.cli.options import Output, OutputFormat
from aerostat.cli.progress import counting
from aerostat.cli.replaying import replay_document, replay_text
from aerostat.policy.params import PolicyName
from aerostat.replay.alternatives import alternatives_of
from aerostat.replay.run import replay as replayed
from aerostat.store import StoreError
from aerostat.store.recording import open_recording


class LoopKind(StrEnum):
    """How alternatives are tried."""

    OPEN = "open"
    CLOSED = "closed"
    BOTH = "both"


def replay(
    recording: Annotated[
        Path, typer.Argument(metavar="RECORDING", help="A file of `aerostat record export`.")
    ],
    policy: Annotated[
        list[PolicyName] | None,
        typer.Option(help="Another policy to try. May be repeated.", show_choices=True),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting to try, as in the configuration: advanced.headroom=20%. May be "
            "repeated; all are tried together.",
        ),
    ] = None,
    loop: Annotated[
        LoopKind,
        typer.Option(
            help="open: what would have been asked for in every round, as it was. closed: what "
            "would have become of the guests, simulated."
        ),
    ] = LoopKind.BOTH,
    output: Output = OutputFormat.TABLE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Decide a recording again: the same version decides the same; others, what would have been.

    Exit status 1: the engine that decided then decides otherwise now.
    """
    if PolicyName.CLAIRVOYANT in (policy or ()):
        raise typer.BadParameter("nobody can know the future: no clairvoyant")
    if loop is LoopKind.CLOSED and not (policy or settings):
        raise typer.BadParameter("--loop closed compares: name a --policy, or something to --set")
    try:
        reader = open_recording(recording)
    except StoreError as error:  # status 1 says that something is decided otherwise now
        raise typer.BadParameter(str(error), param_hint="RECORDING") from error
    alternatives = alternatives_of(policy or (), settings or ())
    console = Console(stderr=True)
    total = reader.header.rounds
    with counting(console, "rounds decided again", total=total, is_quiet=quiet) as count:
        found = replayed(
            reader,
            alternatives,
            is_open=loop is not LoopKind.CLOSED,
            is_closed=loop is not LoopKind.OPEN,
            told=count,
        )
    document = replay_document(recording, reader.header, found)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(document, indent=2))
    else:
        Console().print(replay_text(document))
    if found.reproduction.is_same_engine and not found.reproduction.is_exact:
        raise typer.Exit(1)
