"""How the store itself is doing, for whoever writes the log."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A moment's view; reading it never waits for the disk."""

    trouble: str | None = None  # why rounds are being lost, while they are
    rounds_dropped: int = 0  # since the start
    moved_aside: tuple[Path, ...] = ()  # corrupt files, kept under these names
