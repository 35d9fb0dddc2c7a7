"""What two readings, one after the other, say has happened, where nobody tells of it.

HTTP APIs tell nothing by themselves, and a monitor that is only visited tells it to nobody. A VM
that pauses and goes on between two looks has not been seen to pause.
"""

from collections.abc import Iterator

from aerostat.drivers.sockets.guest import Reading
from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.figures import BalloonStatistics
from aerostat.model.guest import GuestId, RunState

_COUNTERS = ("minor_faults", "major_faults", "swap_in_bytes", "swap_out_bytes")
_ANNOUNCE_EVERY_S = 1.0  # as often as QEMU announces a balloon's moves
_BECAME = {
    (RunState.RUNNING, RunState.PAUSED): LifecycleKind.PAUSED,
    (RunState.PAUSED, RunState.RUNNING): LifecycleKind.RESUMED,
}


class Changes:
    """Compares each reading of a VM with the one before."""

    def __init__(self, guest: GuestId) -> None:
        self._guest = guest
        self._last: Reading | None = None
        self._sampled: BalloonStatistics | None = None  # the last that had figures
        self._announced_s = float("-inf")
        self._announced_bytes: int | None = None

    def since(self, reading: Reading, *, now_s: float) -> Iterator[Event]:
        """The events between the last reading and this one."""
        before, self._last = self._last, reading
        if before is not None:
            kind = _BECAME.get((before.run_state, reading.run_state))
            if kind is not None:
                yield LifecycleChanged(guest=self._guest, kind=kind)
        if self._has_booted_again(reading.statistics):
            yield LifecycleChanged(guest=self._guest, kind=LifecycleKind.RESET)
        moved = self._moved(reading, now_s)
        if moved is not None:
            yield moved

    def _has_booted_again(self, now: BalloonStatistics | None) -> bool:
        """A guest's counters begin anew with its kernel, and a fresh balloon has no sample yet."""
        before = self._sampled
        if now is None:
            return False
        if now.sampled_wall_s <= 0:
            self._sampled = None
            return before is not None
        self._sampled = now
        return before is not None and any(_fell(before, now, name) for name in _COUNTERS)

    def _moved(self, reading: Reading, now_s: float) -> BalloonMoved | None:
        actual_bytes = reading.actual_bytes
        if actual_bytes is None or actual_bytes == self._announced_bytes:
            return None
        if now_s - self._announced_s < _ANNOUNCE_EVERY_S:
            return None
        is_first = self._announced_bytes is None
        self._announced_bytes, self._announced_s = actual_bytes, now_s
        return None if is_first else BalloonMoved(guest=self._guest, actual_bytes=actual_bytes)


def _fell(before: BalloonStatistics, now: BalloonStatistics, name: str) -> bool:
    was, is_now = getattr(before, name), getattr(now, name)
    return was is not None and is_now is not None and is_now < was
