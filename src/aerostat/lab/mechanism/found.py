"""What is measured of the mechanism."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of one balloon."""

    huge_pages: bool  # of the host, behind the guest's RAM
    touched: bool  # the guest had used what was moved, and freed it
    direction: str  # "inflate" or "deflate"
    repeat: int
    asked_bytes: int
    moved_bytes: int  # by `actual`
    took_s: float | None  # until 99 % of the way; None: not within the deadline
    host_freed_bytes: int | None  # by the cgroup's charge, a second later; negative: it grew
    vm_cpu_s: float | None  # of its QEMU, meanwhile
    offered: int | None  # requests, in the seconds of the move
    lost: int | None  # of them not served in their second

    @property
    def bytes_per_s(self) -> float | None:
        """Speed over the way."""
        return self.moved_bytes / self.took_s if self.took_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonCost:
    """What a daemon takes that looks after some guests."""

    guests: int
    watched_s: float
    cpu_s: float
    peak_rss_bytes: int

    @property
    def cpu_ratio(self) -> float:
        """Of one core."""
        return self.cpu_s / self.watched_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """All of it."""

    started_utc: str
    accelerator: str
    machine: Mapping[str, str | int | float]
    moves: tuple[Move, ...]
    daemon: DaemonCost
    notes: tuple[str, ...] = ()
