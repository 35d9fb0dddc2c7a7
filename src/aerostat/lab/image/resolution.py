"""Remembers which packages apt chose, because asking it again takes seconds.

The answer holds as long as the package lists stay as they are; without lists (images of
containers come without) the last answer is still good for what is in the cache.
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from aerostat.lab.image.cache import publish, scratch_directory
from aerostat.lab.image.errors import ImageError
from aerostat.lab.image.packages import Package, find_packages

Find = Callable[[], tuple[Package, ...]]
_LISTS = Path("/var/lib/apt/lists")


def resolve_packages(
    cache_dir: Path,
    *,
    lists_dir: Path = _LISTS,
    record_name: str = "resolution.json",
    find: Find | None = None,
) -> tuple[Package, ...]:
    """Return the packages the image is made from.

    Args:
        cache_dir: where the answer is remembered.
        lists_dir: apt's package lists.
        record_name: of the file that remembers it.
        find: asks apt; what every image is made from, if not said.

    Raises:
        ImageError: apt cannot tell, and never has.
    """
    record = cache_dir / record_name
    lists = _fingerprint(lists_dir)
    known = _read(record)
    if known is not None and known[0] == lists:
        return known[1]
    try:
        packages = (find or find_packages)()
    except ImageError:
        if known is None:
            raise
        return known[1]
    _write(record, lists, packages)
    return packages


def _fingerprint(lists_dir: Path) -> str:
    # apt moves every new list into place, which changes the directory.
    return str(lists_dir.stat().st_mtime_ns) if lists_dir.is_dir() else "none"


def _read(record: Path) -> tuple[str, tuple[Package, ...]] | None:
    try:
        document = json.loads(record.read_text())
        return document["lists"], tuple(Package(**package) for package in document["packages"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # absent, or written by another version: ask again


def _write(record: Path, lists: str, packages: tuple[Package, ...]) -> None:
    document = {
        "lists": lists,
        "packages": [dataclasses.asdict(package) for package in packages],
    }
    with scratch_directory(record.parent) as scratch:
        fresh = scratch / record.name
        fresh.write_text(json.dumps(document, indent=1))
        publish(fresh, record)
