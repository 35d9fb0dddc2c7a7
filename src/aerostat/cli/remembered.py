"""What the verbs that read the store share: which store, which VM, how old."""

from pathlib import Path

import typer

from aerostat.cli.configured import effective_config
from aerostat.places import store_path_to_read
from aerostat.store import StoreError
from aerostat.units import parse_duration


def chosen_store_path(store: Path | None, config: Path | None) -> Path:
    """The store the user means: named, or configured, or where it is by default.

    Raises:
        StoreError: the configuration switches it off.
    """
    settings = effective_config(config, store=store)
    path = settings.store_path or store_path_to_read()
    if not settings.is_store_enabled:
        raise StoreError(path, "the configuration switches the store off ([store] enabled = false)")
    return path


def parsed_since(text: str) -> float:
    """Read ``--since`` and return seconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from error
