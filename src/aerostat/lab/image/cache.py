"""Where built images live, and how they get there whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def cache_directory() -> Path:
    """``$AEROSTAT_CACHE``, else ``aerostat`` in the user's cache directory."""
    own = os.environ.get("AEROSTAT_CACHE")
    if own:
        return Path(own)
    users = os.environ.get("XDG_CACHE_HOME")
    return (Path(users) if users else Path.home() / ".cache") / "aerostat"


@contextlib.contextmanager
def scratch_directory(cache_dir: Path) -> Iterator[Path]:
    """Yield a private directory on the cache's file system, so that a rename publishes from it."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=".building-", dir=cache_dir))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def publish(built: Path, final: Path) -> None:
    """Move a finished file or directory into place; if another builder was first, theirs stays."""
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        built.rename(final)
    except OSError:
        # A directory cannot replace a directory with something in it: somebody was first.
        if not final.exists():
            raise
