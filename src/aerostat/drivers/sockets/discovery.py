"""Turns paths and globs into the monitor sockets that are there now."""

import glob
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

AUTO = "auto"
"""Instead of a path: whatever processes of this host listen at."""


class SocketFinder:
    """Looks for sockets by paths and globs, as often as it is asked."""

    def __init__(
        self, patterns: Sequence[str], *, listening: Callable[[], Iterable[Path]] | None = None
    ) -> None:
        self._patterns = tuple(patterns)
        self._listening = listening  # what AUTO stands for
        self._known: dict[str, Path] = {}

    def find(self) -> tuple[Path, ...]:
        """Sockets that match, sorted; two names of one socket count once.

        What matches and is no socket, or cannot be looked at, is left out: a glob over a
        directory of VMs meets logs, locks and files that vanish meanwhile.
        """
        real: dict[tuple[int, int], str] = {}
        for pattern in self._patterns:
            for name in self._matches(pattern):
                if (socket := _socket(name)) is not None:
                    real.setdefault(socket, name)
        # The same objects every time: comparing paths that are equal takes longer than all else.
        known, self._known = self._known, {}
        for name in sorted(real.values()):
            self._known[name] = known.get(name) or Path(name)
        return tuple(self._known.values())

    def _matches(self, pattern: str) -> Iterable[str]:
        if pattern == AUTO:
            return map(str, self._listening()) if self._listening is not None else ()
        return _matches(pattern)


def _matches(pattern: str) -> list[str]:
    if _socket(pattern) is not None:
        return [pattern]  # a path as it stands, even if it has a "[" in it
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - pathlib takes no absolute one


def _socket(name: str) -> tuple[int, int] | None:
    """Which socket it is, by any of its names; None: it is none."""
    try:
        found = os.stat(name)  # noqa: PTH116 # hundreds a second: a Path for each costs more
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None
