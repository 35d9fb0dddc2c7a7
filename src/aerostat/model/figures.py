"""What a guest says of itself, as read: every figure has a value, or is absent with a reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from aerostat.model.sealed import sealed


class Absence(StrEnum):
    """Why a figure has no value. Values are stable: they are stored and shown."""

    NOT_REPORTED = "not_reported"  # the peer sent no such key
    UNSET = "unset"  # the peer sent its "no value": -1 or 2**64-1
    NEVER_SAMPLED = "never_sampled"  # the guest's driver has not written statistics yet
    ABSURD = "absurd"  # a value that cannot be, such as more free memory than the guest has
    STALE = "stale"  # older than the deadline for figures


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentFigure:
    """One figure that has no value, and why."""

    name: str
    why: Absence


@sealed
class BalloonStatistics:
    """One sample of the guest's balloon driver; all its figures have the same age.

    Counters (swap, faults, kills, stalls) are cumulative since the guest booted. A figure that is
    ``None`` is named in ``absent`` with the reason.
    """

    sampled_wall_s: float  # the hypervisor's time stamp of the sample: it moves when a new one came
    age_s: float  # how old the sample was when it was read; at least 0
    total_bytes: int | None = None
    available_bytes: int | None = None
    free_bytes: int | None = None
    cache_bytes: int | None = None
    swap_in_bytes: int | None = None
    swap_out_bytes: int | None = None
    major_faults: int | None = None
    minor_faults: int | None = None
    oom_kills: int | None = None
    alloc_stalls: int | None = None
    absent: tuple[AbsentFigure, ...] = ()

    def aged(self, by_s: float) -> Self:
        """The same sample, so much later."""
        return type(self)(
            sampled_wall_s=self.sampled_wall_s,
            age_s=self.age_s + by_s,
            total_bytes=self.total_bytes,
            available_bytes=self.available_bytes,
            free_bytes=self.free_bytes,
            cache_bytes=self.cache_bytes,
            swap_in_bytes=self.swap_in_bytes,
            swap_out_bytes=self.swap_out_bytes,
            major_faults=self.major_faults,
            minor_faults=self.minor_faults,
            oom_kills=self.oom_kills,
            alloc_stalls=self.alloc_stalls,
            absent=self.absent,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPressure:
    """Pressure figures pushed by an agent in the guest; cumulative since it booted.

    Source: the guest's /proc/pressure/memory and /proc/vmstat. Untrusted, like all guest figures.
    """

    sampled_wall_s: float
    age_s: float
    some_total_s: float | None = None
    full_total_s: float | None = None
    refaults: int | None = None
    swap_total_bytes: int | None = None  # 0: the guest has no swap
    swap_free_bytes: int | None = None


@sealed
class VmFootprint:
    """What the VM's process really holds of the host, each measure under its own name.

    ``cgroup_bytes`` is the charge of the VM's memory cgroup and the one to believe: under
    transparent huge pages PSS and RSS fall while the host has got nothing back. Counters are
    cumulative since the cgroup was made or the process began, and absent once when they come from
    another source than before.
    """

    age_s: float  # of ``held_bytes``; everything else was read just now
    cgroup_bytes: int | None = None
    pss_bytes: int | None = None
    rss_bytes: int | None = None
    swap_bytes: int | None = None  # the VM's memory in host swap
    swap_in_bytes: int | None = None  # counter: read back from the host's swap for it
    major_faults: int | None = None  # counter: pages of its own that had to be fetched
    pressure_some_total_s: float | None = None  # counter: one of its threads waited for memory
    pressure_full_total_s: float | None = None  # counter: all of them did
    limit_bytes: int | None = None  # the lowest memory limit of its own cgroup
    limit_hits: int | None = None  # counter: how often it was held at a limit of its own
    pid: int | None = None  # of its process
    locked_bytes: int | None = None  # locked, pinned for a device, or huge pages: never reclaimed
    touched_bytes: int | None = None  # touched in the last while, where that is looked at
    unsplit_bytes: int | None = None  # given up in part of huge pages, which the host still holds
    touched_cost_ratio: float | None = None  # of one processor's time, that looking takes
    merged_bytes: int | None = None  # its pages that share a copy with others, by KSM
    merge_profit_bytes: int | None = None  # saved by that, less what keeping track of it takes

    def aged(self, by_s: float) -> Self:
        """The same, so much later: nothing was read anew."""
        return type(self)(
            age_s=self.age_s + by_s,
            cgroup_bytes=self.cgroup_bytes,
            pss_bytes=self.pss_bytes,
            rss_bytes=self.rss_bytes,
            swap_bytes=self.swap_bytes,
            swap_in_bytes=self.swap_in_bytes,
            major_faults=self.major_faults,
            pressure_some_total_s=self.pressure_some_total_s,
            pressure_full_total_s=self.pressure_full_total_s,
            limit_bytes=self.limit_bytes,
            limit_hits=self.limit_hits,
            pid=self.pid,
            locked_bytes=self.locked_bytes,
            touched_bytes=self.touched_bytes,
            unsplit_bytes=self.unsplit_bytes,
            touched_cost_ratio=self.touched_cost_ratio,
            merged_bytes=self.merged_bytes,
            merge_profit_bytes=self.merge_profit_bytes,
        )

    @property
    def held_bytes(self) -> int | None:
        """The best measure there is: cgroup, else PSS, else RSS."""
        for measure in (self.cgroup_bytes, self.pss_bytes, self.rss_bytes):
            if measure is not None:
                return measure
        return None

    @property
    def held_source(self) -> str:
        """The name of the measure that ``held_bytes`` is."""
        if self.cgroup_bytes is not None:
            return "cgroup"
        if self.pss_bytes is not None:
            return "pss"
        return "rss" if self.rss_bytes is not None else "none"
