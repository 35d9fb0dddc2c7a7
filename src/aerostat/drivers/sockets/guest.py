"""One VM that can be asked: who it is, and what a driver may ask of it."""

from dataclasses import dataclass
from typing import Protocol

from aerostat.model.figures import BalloonStatistics, GuestPressure
from aerostat.model.guest import GuestId, Hinting, RunState
from aerostat.model.sealed import sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a VM is. The same id on another process is another VM."""

    guest: GuestId
    name: str
    pid: int | None  # None: not visible from here


@sealed
class Reading:
    """What one round of questions brought."""

    run_state: RunState
    actual_bytes: int | None
    has_balloon: bool | None
    statistics: BalloonStatistics | None
    deflates_on_oom: bool | None = None
    standing_target_bytes: int | None = None
    reports_free_pages: bool | None = None
    hinting: Hinting | None = None
    disk_read_bytes: int | None = None
    is_backing_up: bool = False
    pressure: GuestPressure | None = None
    troubles: tuple[str, ...] = ()


class ReachedGuest(Protocol):
    """A VM whose hypervisor answers, for as long as this contact lasts."""

    identity: Identity
    max_bytes: int | None
    sample_gap_s: float
    """No new sample comes sooner than so long after the one before; 0: not known."""

    async def read(self) -> Reading:
        """Ask for one round's figures.

        Raises:
            SessionError: it did not answer.
        """
        ...

    async def set_target(self, target_bytes: int) -> None:
        """Send a target; a return means that it was taken.

        Raises:
            SessionError: it was not, or nobody knows.
        """
        ...

    async def release(self) -> None:
        """Put back what we changed in the VM.

        Raises:
            SessionError: it did not answer.
        """
        ...
