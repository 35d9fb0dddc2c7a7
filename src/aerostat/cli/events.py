"""``aerostat events``: what happened to VMs, newest last."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from aerostat.cli.asked import Ca, Daemon, SocketPath, Url
from aerostat.cli.options import ConfigPath, Output, OutputFormat, Since, StorePath
from aerostat.cli.remembered import parsed_since
from aerostat.cli.sources import Source
from aerostat.store import StoreReader
from aerostat.story.happenings import event_text, events_document, events_text, lines_of
from aerostat.story.remembered import found_guest, freshness, old_warning, utc

ASKED_MAX = 5000
"""So many of the last events the daemon tells at once."""

WatchEvents = Annotated[
    bool,
    typer.Option("--watch", "-w", help="Go on with what happens, as it happens, until Ctrl-C."),
]


def events(
    vm: Annotated[
        str | None, typer.Option("--vm", help="Only this VM: its name, or its id.")
    ] = None,
    since: Since = "1h",
    watch: WatchEvents = False,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    store: StorePath = None,
    config: ConfigPath = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """List what happened: decisions that changed, answers, lives of VMs; newest last.

    Asks the running daemon; where none answers, what it kept is read. With --watch, -o json
    prints one event a line.
    """
    since_s = parsed_since(since)
    source = Source(socket=socket, url=url, ca=ca, store=store, config=config)
    if watch:
        with closing(source.daemon()) as daemon:
            _follow(daemon, vm, since, since_s, output)
        return
    is_json = output is OutputFormat.JSON

    def ask(daemon: Daemon) -> dict[str, Any]:
        return asked_events(daemon, vm, since, has_routine=is_json)

    def remember(reader: StoreReader, path: Path) -> dict[str, Any]:
        return _kept(reader, path, vm, since_s, has_routine=is_json)

    told = source.tell(ask, remember)
    if is_json:
        typer.echo(json.dumps(told, indent=2))
        return
    for line in _remarks(told):
        typer.echo(line)
    typer.echo(events_text(told["events"]) or f"nothing happened in the last {since}")


def asked_events(
    daemon: Daemon, vm: str | None, since: str, *, has_routine: bool = False
) -> dict[str, Any]:
    """What the running daemon tells."""
    query = {"since": since, "limit": str(ASKED_MAX), "routine": str(has_routine).lower()}
    if vm is not None:
        query["vm"] = vm
    told: dict[str, Any] = daemon.get("/v1/events", **query)
    return told


def _kept(
    reader: StoreReader, path: Path, vm: str | None, since_s: float, *, has_routine: bool
) -> dict[str, Any]:
    since_wall_s = (now_wall_s := time.time()) - since_s
    now = freshness(reader, path, now_wall_s=now_wall_s)
    guests = reader.guests()
    only = None if vm is None else found_guest(guests, vm, now=now).guest
    lines = lines_of(reader, guests, only=only, since_wall_s=since_wall_s, until_wall_s=now_wall_s)
    shown = [line for line in lines if has_routine or not line.is_routine]
    return events_document(path, now, shown, since_wall_s=since_wall_s)


def _remarks(told: dict[str, Any]) -> Iterator[str]:
    if told["is_old"]:
        yield old_warning(told["written_age_s"])
    if "trouble" in told:
        yield told["trouble"]
    if told.get("left_out"):
        yield f"{told['left_out']} or more earlier ones are left out: ask for less time, or one VM"


def _follow(
    daemon: Daemon, vm: str | None, since: str, since_s: float, output: OutputFormat
) -> None:
    """What was, then what happens; of what both tell, only once."""
    told = asked_events(daemon, vm, since)
    width = max((len(event.get("name") or "daemon") for event in told["events"]), default=12)

    def show(event: dict[str, Any]) -> None:
        # One document a line: whoever reads them need not wait for an end that never comes.
        is_json = output is OutputFormat.JSON
        typer.echo(json.dumps(event) if is_json else event_text(event, width))

    if output is OutputFormat.TABLE:
        for line in _remarks(told):
            typer.echo(line, err=True)
    for event in told["events"]:
        show(event)
    last = told["events"][-1]["at"] if told["events"] else utc(time.time() - since_s)
    for event in daemon.happened():
        is_new = event["at"] > last  # of one form, so that text compares as time does
        if is_new and (vm is None or vm in (event.get("id"), event.get("name"))):
            show(event)
