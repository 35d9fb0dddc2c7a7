"""The lab's directories on disk: each says whose it is, so that a dead owner's can be removed."""

import os
from pathlib import Path

PREFIX = "aerostat-"
OWNER = "owner.pid"


def own_directory(directory: Path) -> None:
    """Mark a directory as this process's."""
    (directory / OWNER).write_text(str(os.getpid()))
