"""``aerostat explain``: why a VM is at its size, and what would change it."""

import json
import time
from typing import Annotated

import typer

from aerostat.cli.options import ConfigPath, Output, OutputFormat, Since, StorePath
from aerostat.cli.remembered import chosen_store_path, parsed_since
from aerostat.config import stored_config
from aerostat.engine.prospects import prospects
from aerostat.store import StoreReader, open_store
from aerostat.story.explanation import Explanation, explanation_document, explanation_text
from aerostat.story.remembered import found_guest, freshness, is_gone


def explain(
    vm: Annotated[str, typer.Argument(metavar="VM", help="Its name, or its id.")],
    since: Since = "1h",
    store: StorePath = None,
    config: ConfigPath = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Say why a VM is at its size now, what would change that, and what happened last."""
    since_s = parsed_since(since)
    path = chosen_store_path(store, config)
    with open_store(path) as reader:
        told = explanation(reader, vm, since_s=since_s, now_wall_s=time.time())
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(explanation_document(told), indent=2))
    else:
        typer.echo(explanation_text(told))


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
