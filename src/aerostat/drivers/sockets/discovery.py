"""Turns paths and globs into the monitor sockets that are there now."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from aerostat.drivers.sockets.matching import Matching, Sockets, sockets_of

AUTO = "auto"
"""Instead of a path: whatever processes of this host listen at."""


class SocketFinder:
    """Looks for sockets by paths and globs, as often as it is asked."""

    def __init__(
        self, patterns: Sequence[str], *, listening: Callable[[], Iterable[Path]] | None = None
    ) -> None:
        self._looks = [self._look_of(pattern) for pattern in patterns]
        self._listening = listening  # what AUTO stands for
        self._last: list[Sockets] = []
        self._known: dict[str, Path] = {}

    def find(self) -> tuple[Path, ...]:
        """Sockets that match, sorted; two names of one socket count once.

        What matches and is no socket, or cannot be looked at, is left out: a glob over a
        directory of VMs meets logs, locks and files that vanish meanwhile.
        """
        last, self._last = self._last, [look() for look in self._looks]
        if self._last != last:
            self._name()
        return tuple(self._known.values())

    def _look_of(self, pattern: str) -> Callable[[], Sockets]:
        return self._listeners if pattern == AUTO else Matching(pattern).find

    def _listeners(self) -> Sockets:
        return () if self._listening is None else sockets_of([str(p) for p in self._listening()])

    def _name(self) -> None:
        """Give each socket one name."""
        real: dict[tuple[int, int], str] = {}
        for found in self._last:
            for socket, name in found:
                real.setdefault(socket, name)
        # The same objects every time: comparing paths that are equal takes longer than all else.
        known, self._known = self._known, {}
        for name in sorted(real.values()):
            self._known[name] = known.get(name) or Path(name)
