"""Turns paths and globs into the monitor sockets that are there now."""

import glob
import stat
from collections.abc import Sequence
from pathlib import Path


class SocketFinder:
    """Looks for sockets by paths and globs, as often as it is asked."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)

    def find(self) -> tuple[Path, ...]:
        """Sockets that match, sorted; two names of one socket count once.

        What matches and is no socket, or cannot be looked at, is left out: a glob over a
        directory of VMs meets logs, locks and files that vanish meanwhile.
        """
        real: dict[str, Path] = {}
        for pattern in self._patterns:
            for path in _matches(pattern):
                if _is_socket(path):
                    real.setdefault(str(path.resolve()), path)
        return tuple(sorted(real.values()))


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
