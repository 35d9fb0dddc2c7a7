"""Few points of each VM over the last minutes, written once for all who ask."""

from aerostat.api.recent import Recent
from aerostat.api.written import as_bytes

STEP = 6
"""Of so many samples one: a point in half a minute."""


class Sparklines:
    """What every VM held lately; for one thread."""

    def __init__(self, recent: Recent) -> None:
        self._recent = recent
        self._written: tuple[int, bytes] | None = None

    def body(self) -> bytes:
        """As JSON: each VM's points, oldest first, null where it was not known."""
        taken = self._recent.taken
        if self._written is None or self._written[0] != taken:
            self._written = (taken, as_bytes(self._recent.series("actual_bytes", step=STEP)))
        return self._written[1]
