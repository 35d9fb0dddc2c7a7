"""Makes recordings for tests."""

from pathlib import Path

from aerostat.config import default_config
from aerostat.config.assignments import assigned
from aerostat.ports.journal import RoundRecord
from aerostat.store import Retention, open_store
from aerostat.store.recording import Part, export_recording, open_recording
from recorded_rounds import remember

RECORDED = assigned(default_config(), ["host.budget=1200MiB", 'mode="enforce"'])
"""The configuration of the daemon that is recorded."""


def record(
    directory: Path,
    rounds: list[RoundRecord],
    *,
    configuration: str | None = None,
    is_full: bool = True,
) -> Path:
    """Write rounds into a store, and export that."""
    store, path = directory / "a.db", directory / "a.parquet"
    remember(store, rounds, configuration=configuration, retention=Retention(tape_s=86400.0))
    with open_store(store) as reader:
        export_recording(reader, path, since_wall_s=0.0, until_wall_s=1e12, is_full=is_full)
    return path


def parts_of(path: Path) -> list[Part]:
    return list(open_recording(path).parts())
