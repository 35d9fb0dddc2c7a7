"""A newer kernel than a distribution's own, for a guest that plays a host.

Where the distribution has one that is new enough, that is taken. Debian's older ones get it from
the next suite of the same mirror, in package lists of their own: the system's sources stay as they
are, and nothing is installed.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerostat.lab.image.cache import publish, scratch_directory
from aerostat.lab.image.errors import ImageError
from aerostat.lab.image.packages import (
    Package,
    Progress,
    fetch_package,
    kernel_parts,
    look_up,
    run_tool,
)

LEAST_VERSION = (6, 12)
"""Has memory.reclaim, memory.zswap.writeback, DAMON by sysfs and KSM's advisor."""
SUITE = "trixie"
"""Debian's oldest suite whose kernel is new enough."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Not the kernels for virtual machines, as lab guests have: Debian's is built without zswap.
_KERNELS = ("linux-image-amd64", "linux-image-generic", "linux-image-generic-hwe-24.04")
_VERSION = re.compile(r"linux-image-(?:unsigned-)?(\d+)\.(\d+)")
_RECORD = "resolution-newer-kernel.json"


def fetch_newer_kernel(
    cache_dir: Path, on_progress: Progress
) -> tuple[tuple[Package, ...], list[Path]]:
    """The packages of such a kernel and their files, downloaded once and then kept.

    Raises:
        ImageError: there is none to be had here; the message says why.
    """
    known = _read(cache_dir / _RECORD)
    files = [cache_dir / "packages" / package.file_name for package in known]
    if known and all(file.exists() for file in files):
        return known, files
    names = _own_kernel()
    if names:
        found = look_up(names)
        fetched = [fetch_package(package, cache_dir, on_progress) for package in found]
    else:
        with _lists_of(SUITE, cache_dir) as options:
            names = kernel_parts(_KERNELS[0], options=options)
            if not _is_new(names):
                raise ImageError(f"Debian's {SUITE} has no kernel {_words(LEAST_VERSION)} or later")
            found = look_up(names, options=options)
            fetched = [
                fetch_package(package, cache_dir, on_progress, options=options) for package in found
            ]
    _write(cache_dir / _RECORD, found)
    return found, fetched


def _own_kernel() -> list[str]:
    """The distribution's own, where it is new enough."""
    for meta in _KERNELS:
        names = kernel_parts(meta)
        if _is_new(names):
            return names
    return []


def _is_new(names: list[str]) -> bool:
    versions = [(int(m[1]), int(m[2])) for m in map(_VERSION.match, names) if m is not None]
    return bool(versions) and max(versions) >= LEAST_VERSION


@contextmanager
def _lists_of(suite: str, cache_dir: Path) -> Iterator[tuple[str, ...]]:
    """Fetch a suite's package lists from the system's mirror; apt's options for using them."""
    mirror = _mirror()
    with scratch_directory(cache_dir) as scratch:
        for folder in ("lists/partial", "cache/archives/partial"):
            (scratch / folder).mkdir(parents=True)
        (scratch / "status").touch()
        sources = scratch / "sources.list"
        sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
        settings = {
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": scratch,
            "Dir::State::lists": scratch / "lists",
            "Dir::State::status": scratch / "status",
            "Dir::Cache": scratch / "cache",
            "APT::Sandbox::User": "root",
        }
        options = tuple(word for key, to in settings.items() for word in ("-o", f"{key}={to}"))
        run_tool("apt-get", "update", "-q", *options)
        yield options


def _mirror() -> str:
    wanted = "$(REPO_URI) $(ORIGIN) $(LABEL)"
    listing = run_tool("apt-get", "indextargets", "--format", wanted, "Created-By: Packages")
    for line in listing.splitlines():
        uri, *origin = line.split()
        if origin == ["Debian", "Debian"]:
            if not KEYRING.exists():
                raise ImageError(f"{KEYRING} is missing: apt-get install debian-archive-keyring")
            return uri
    raise ImageError(
        f"this distribution has no kernel {_words(LEAST_VERSION)} or later, and its package lists "
        "name no mirror of Debian that has one (if they are missing, run: apt-get update)"
    )


def _words(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _read(record: Path) -> tuple[Package, ...]:
    try:
        return tuple(Package(**package) for package in json.loads(record.read_text()))
    except (OSError, ValueError, TypeError):
        return ()  # absent, or written by another version


def _write(record: Path, packages: tuple[Package, ...]) -> None:
    with scratch_directory(record.parent) as scratch:
        fresh = scratch / record.name
        fresh.write_text(json.dumps([dataclasses.asdict(package) for package in packages]))
        publish(fresh, record)
