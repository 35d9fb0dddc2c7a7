"""The sockets that match one path or glob; looked for again only when their folder has changed."""

import glob
import os
import stat
import time

SETTLED_S = 2.0
"""A folder that changed so lately may change once more without its time stamp telling."""

Sockets = tuple[tuple[tuple[int, int], str], ...]
"""Which socket each is, whatever it is called, and by which name it was found."""

_Stamp = tuple[int, int, int]


class Matching:
    """What matches one pattern.

    A folder's time stamp moves with every name that comes, goes or is replaced in it. It says
    nothing of folders below, nor of what a symbolic link leads to: there each look is a new one.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        folder = os.path.dirname(pattern) or "."  # noqa: PTH120 # of a glob, not of a path
        self._folder = folder if glob.escape(folder) == folder else None
        self._of: _Stamp | None = None  # None: what was found may have changed unseen
        self._found: Sockets = ()

    def find(self) -> Sockets:
        """Those that are there now, in the order of their names.

        What matches and is no socket, or cannot be looked at, is left out.
        """
        stamp = self._stamp()
        if stamp is None or stamp != self._of:
            self._of = stamp if self._look() and _is_settled(stamp) else None
        return self._found

    def _stamp(self) -> _Stamp | None:
        if self._folder is None:
            return None
        try:
            found = os.stat(self._folder)  # noqa: PTH116 # kept as a text: once a second
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_ctime_ns

    def _look(self) -> bool:
        """Look for them; whether nothing but their folder has a say in what they are."""
        found, is_plain = [], True
        for name in self._names():
            is_plain = is_plain and not os.path.islink(name)  # noqa: PTH114 # hundreds of them
            if (socket := _socket(name)) is not None:
                found.append((socket, name))
        self._found = tuple(found)
        return is_plain

    def _names(self) -> list[str]:
        if _socket(self._pattern) is not None:
            return [self._pattern]  # a path as it stands, even if it has a "[" in it
        return sorted(glob.glob(self._pattern, recursive=True))  # noqa: PTH207 - pathlib takes no absolute one


def _is_settled(stamp: _Stamp | None) -> bool:
    return stamp is not None and time.time_ns() - stamp[2] >= SETTLED_S * 1e9


def _socket(name: str) -> tuple[int, int] | None:
    """Which socket it is, by any of its names; None: it is none."""
    try:
        found = os.stat(name)  # noqa: PTH116 # hundreds of them: a Path for each costs more
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None


def sockets_of(names: list[str]) -> Sockets:
    """Which of these names are sockets."""
    found = ((_socket(name), name) for name in names)
    return tuple((socket, name) for socket, name in found if socket is not None)
