"""``aerostat events``: what happened to VMs, newest last."""

import json
import time
from typing import Annotated

import typer

from aerostat.cli.options import ConfigPath, Output, OutputFormat, Since, StorePath
from aerostat.cli.remembered import chosen_store_path, parsed_since
from aerostat.store import open_store
from aerostat.story.happenings import SCHEMA, lines_of, lines_text
from aerostat.story.remembered import found_guest, freshness, heading, utc


def events(
    vm: Annotated[
        str | None, typer.Option("--vm", help="Only this VM: its name, or its id.")
    ] = None,
    since: Since = "1h",
    store: StorePath = None,
    config: ConfigPath = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what happened: decisions that changed, answers, lives of VMs; newest last."""
    since_wall_s = (now_wall_s := time.time()) - parsed_since(since)
    with open_store(chosen_store_path(store, config)) as reader:
        now = freshness(reader, reader.path, now_wall_s=now_wall_s)
        guests = reader.guests()
        only = None if vm is None else found_guest(guests, vm, now=now).guest
        lines = lines_of(
            reader, guests, only=only, since_wall_s=since_wall_s, until_wall_s=now_wall_s
        )
    if output is OutputFormat.JSON:
        document = {
            **heading(reader.path, now, SCHEMA),
            "since": utc(since_wall_s),
            "events": [line.document(now) for line in lines],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    if (warning := now.warning()) is not None:
        typer.echo(warning)
    typer.echo(lines_text(lines) or f"nothing happened in the last {since}")
