"""Turns paths and globs into the monitor sockets that are there now."""

import glob
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

    def find(self) -> tuple[Path, ...]:
        """Sockets that match, sorted; two names of one socket count once.

        What matches and is no socket, or cannot be looked at, is left out: a glob over a
        directory of VMs meets logs, locks and files that vanish meanwhile.
        """
        real: dict[str, Path] = {}
        for pattern in self._patterns:
            for path in self._matches(pattern):
                if _is_socket(path):
                    real.setdefault(str(path.resolve()), path)
        return tuple(sorted(real.values()))

    def _matches(self, pattern: str) -> Iterable[Path]:
        if pattern == AUTO:
            return self._listening() if self._listening is not None else ()
        return _matches(pattern)


def _matches(pattern: str) -> list[Path]:
    if _is_socket(Path(pattern)):
        return [Path(pattern)]  # a path as it stands, even if it has a "[" in it
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207 - pathlib takes no absolute pattern
    return [Path(name) for name in sorted(names)]


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
