"""Which engine decided: a digest of its sources, so that only the same one is held to its word."""

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

_PACKAGES = ("engine", "model", "policy", "units")
"""All that a decision is made of."""


@cache
def engine_digest() -> str | None:
    """Sixteen hexadecimal digits; None: this installation has no sources to tell by."""
    digest = hashlib.sha256()
    found = 0
    for package in _PACKAGES:
        for name, text in sorted(_sources(resources.files("aerostat").joinpath(package))):
            digest.update(f"{package}/{name}\0".encode() + text)
            found += 1
    return digest.hexdigest()[:16] if found else None


def _sources(folder: Traversable) -> list[tuple[str, bytes]]:
    return [
        (entry.name, entry.read_bytes())
        for entry in folder.iterdir()
        if entry.is_file() and entry.name.endswith(".py")
    ]
