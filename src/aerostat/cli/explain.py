"""``aerostat explain``: why a VM is at its size, and what would change it."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from aerostat.cli.asked import Ca, Daemon, SocketPath, Url, guest_path
from aerostat.cli.options import ConfigPath, Output, OutputFormat, Since, StorePath
from aerostat.cli.remembered import parsed_since
from aerostat.cli.sources import Source
from aerostat.config import stored_config
from aerostat.engine.prospects import prospects
from aerostat.store import StoreReader
from aerostat.story.explanation import Explanation, explanation_answer
from aerostat.story.remembered import found_guest, freshness, is_gone


def explain(
    vm: Annotated[str, typer.Argument(metavar="VM", help="Its name, or its id.")],
    since: Since = "1h",
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    store: StorePath = None,
    config: ConfigPath = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Say why a VM is at its size now, what would change that, and what happened last.

    Asks the running daemon; where none answers, or the VM is gone, what it kept is read.
    """
    since_s = parsed_since(since)

    def ask(daemon: Daemon) -> dict[str, Any]:
        told: dict[str, Any] = daemon.get(guest_path(vm, "explanation"), since=since)
        return told

    def remember(reader: StoreReader, _: Path) -> dict[str, Any]:
        return explanation_answer(explanation(reader, vm, since_s=since_s, now_wall_s=time.time()))

    source = Source(socket=socket, url=url, ca=ca, store=store, config=config)
    told = source.tell(ask, remember)
    typer.echo(json.dumps(told, indent=2) if output is OutputFormat.JSON else told["text"])


def explanation(reader: StoreReader, vm: str, *, since_s: float, now_wall_s: float) -> Explanation:
    """Collect what the store knows of a VM.

    Raises:
        UnknownGuestError: it knows none of this name.
        StoreError: it cannot be read.
    """
    now = freshness(reader, reader.path, now_wall_s=now_wall_s)
    guest = found_guest(reader.guests(), vm, now=now)
    seen = reader.last_seen(guest.guest)
    assert seen is not None, "a guest is known by its decisions"
    config = (
        None if seen.session.configuration is None else stored_config(seen.session.configuration)
    )
    return Explanation(
        path=reader.path,
        now=now,
        seen=seen,
        is_gone=is_gone(guest, now),
        config=config,
        prospects=None if config is None else prospects(seen.trace, config.engine_params()),
        moves=reader.moves(guest.guest, since_wall_s=now_wall_s - since_s, until_wall_s=now_wall_s),
        since_s=since_s,
    )
