"""What a simulated workload says once a second, in the words of the real one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import floor, log2

from aerostat.sim.constants import BASE_LATENCY
from aerostat.sim.guest_state import GuestState
from aerostat.sim.workload import Served

BUCKETS_PER_OCTAVE = 12
"""Bucket ``b`` of a latency histogram covers [2**(b/12), 2**((b+1)/12)) microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSecond:
    """One second of a simulated workload; every field as in the lab's own samples.

    Counters (checksum errors, swap, faults, refaults, kills, pressure) are since the guest's boot.
    """

    guest: str
    received_s: float  # the world's monotonic time
    uptime_s: float
    hot_bytes: int
    heap_bytes: int
    offered: int
    served: int
    shed: int
    latency_histogram: Mapping[int, int]
    latency_max_s: float
    checksum_errors: int  # simulated memory is never lost: always 0
    total_bytes: int
    available_bytes: int
    free_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int
    swap_in_bytes: int
    swap_out_bytes: int
    major_faults: int
    refaults: int
    oom_kills: int
    pressure_some_s: float
    pressure_full_s: float


def bucket_of(latency_s: float) -> int:
    """The histogram bucket of a latency."""
    return floor(BUCKETS_PER_OCTAVE * log2(max(latency_s * 1e6, 1.0)))


_BASE_BUCKETS = tuple((share, bucket_of(latency_s)) for share, latency_s in BASE_LATENCY)
_BASE_LATENCY_S_MAX = max(latency_s for _, latency_s in BASE_LATENCY)


@dataclass(slots=True)
class SecondTally:
    """Adds up steps. Amounts of a step need not be whole; those of a second are.

    Fractions are carried over, so that sums over many seconds are right.
    """

    offered: float = 0.0
    served: float = 0.0
    shed: float = 0.0
    latency_s_max: float = 0.0
    unhindered: float = 0.0  # served without a wait: of these all latencies are known
    histogram: dict[int, float] = field(default_factory=dict)  # of those that waited

    def add(self, step: Served) -> None:
        """Count one step."""
        self.offered += step.offered
        self.served += step.served
        self.shed += step.shed
        if step.served <= 0:
            return
        waits_s = (step.wait_first_s + step.fault_s, step.wait_last_s + step.fault_s)
        if max(waits_s) < 1e-6:
            self.unhindered += step.served
        else:
            for wait_s in waits_s:
                spread = ((share, bucket_of(wait_s + base_s)) for share, base_s in BASE_LATENCY)
                self._count(spread, step.served / len(waits_s))
        self.latency_s_max = max(self.latency_s_max, max(waits_s) + _BASE_LATENCY_S_MAX)

    def take(self) -> tuple[int, int, int, dict[int, int], float]:
        """Offered, served, shed, histogram and worst latency; the next second starts."""
        offered, served, shed = int(self.offered), int(self.served), int(self.shed)
        self._count(_BASE_BUCKETS, self.unhindered)
        histogram = _whole(self.histogram, served)
        worst_s = self.latency_s_max
        self.offered -= offered
        self.served -= served
        self.shed -= shed
        self.latency_s_max = self.unhindered = 0.0
        self.histogram = {}
        return offered, served, shed, histogram, worst_s

    def _count(self, spread: Iterable[tuple[float, int]], served: float) -> None:
        histogram = self.histogram
        for share, bucket in spread:
            histogram[bucket] = histogram.get(bucket, 0.0) + share * served


def _whole(histogram: Mapping[int, float], total: int) -> dict[int, int]:
    """The histogram in whole requests that add up to ``total``."""
    amount = sum(histogram.values())
    whole: dict[int, int] = {}
    reached, counted = 0.0, 0
    for bucket in sorted(histogram):
        reached += histogram[bucket]
        upto = min(total, round(total * reached / amount)) if amount > 0 else 0
        if upto > counted:
            whole[bucket] = upto - counted
            counted = upto
    return whole


def workload_second(
    name: str, state: GuestState, tally: SecondTally, *, now_s: float, memory: "GuestMemory"
) -> WorkloadSecond:
    """Close a second of a guest's workload."""
    offered, served, shed, histogram, worst_s = tally.take()
    heap_bytes = (
        state.hot_bytes
        - state.hot_untouched_bytes
        + state.cold_resident_bytes
        + state.cold_swapped_bytes
    )
    return WorkloadSecond(
        guest=name,
        received_s=now_s,
        uptime_s=state.uptime_s,
        hot_bytes=round(state.hot_bytes),
        heap_bytes=round(heap_bytes),
        offered=offered,
        served=served,
        shed=shed,
        latency_histogram=histogram,
        latency_max_s=worst_s,
        checksum_errors=0,
        total_bytes=memory.total_bytes,
        available_bytes=memory.available_bytes,
        free_bytes=memory.free_bytes,
        swap_total_bytes=memory.swap_total_bytes,
        swap_free_bytes=max(0, memory.swap_total_bytes - round(state.swapped_bytes)),
        swap_in_bytes=int(state.swap_in_bytes),
        swap_out_bytes=int(state.swap_out_bytes),
        major_faults=int(state.major_faults),
        refaults=int(state.refaults),
        oom_kills=state.oom_kills,
        pressure_some_s=state.pressure_some_s,
        pressure_full_s=state.pressure_full_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMemory:
    """The guest's memory as its own kernel counts it."""

    total_bytes: int
    available_bytes: int
    free_bytes: int
    cache_bytes: int
    swap_total_bytes: int
