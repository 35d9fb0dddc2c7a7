"""What a simulated guest's memory holds at one instant."""

from dataclasses import dataclass
from enum import StrEnum

from aerostat.sim.ages import UNIFORM, Ages, is_curve
from aerostat.sim.constants import GuestPhysics


class HeapMode(StrEnum):
    """What the workload does with memory its hot set has left."""

    RELEASE = "release"  # gives it back to its kernel
    COLD = "cold"  # keeps its whole heap, filled at start


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the workload is asked to do, from now on."""

    hot_bytes: int = 80 << 20  # touched at random, again and again
    requests_per_s: float = 2000.0
    mode: HeapMode = HeapMode.RELEASE
    heap_bytes: int = 0  # in mode COLD: what it keeps in all; at least the hot set is kept
    file_bytes: int = 0  # files read over and over, which the page cache would hold
    file_pages_per_s: float = 0.0
    ages: Ages = UNIFORM  # of the hot set: how often its younger part is touched
    file_ages: Ages = UNIFORM  # of the files
    request_file_pages: float = 0.0  # of the files, that each request waits for
    identical_bytes: int = 0  # of what it holds, that other guests hold as well

    def __post_init__(self) -> None:
        assert is_curve(self.ages), "younger memory is used at least as often as older"
        assert is_curve(self.file_ages), "younger memory is used at least as often as older"
        assert self.hot_bytes >= 0
        assert self.requests_per_s >= 0
        assert self.file_pages_per_s >= 0


@dataclass(slots=True, kw_only=True)
class GuestState:
    """Bytes by what they hold; counters since the guest's boot.

    Free memory is what is left, so memory can neither appear nor vanish. Mutable for speed: only
    ``physics.live`` and what it calls change it.
    """

    max_bytes: int
    kernel_bytes: float  # kernel and page tables, outside the guest's total
    system_bytes: float
    balloon_bytes: float = 0.0
    balloon_has_yielded: bool = False  # deflated on OOM: rests until the next target
    cache_bytes: float = 0.0
    cache_peak_bytes: float = 0.0
    hot_resident_bytes: float = 0.0
    hot_swapped_bytes: float = 0.0
    hot_untouched_bytes: float = 0.0  # in the hot set, but never touched: held by nobody yet
    cold_resident_bytes: float = 0.0
    cold_swapped_bytes: float = 0.0
    cold_unfilled_bytes: float = 0.0
    report_in_s: float = 0.0  # free page reporting looks again then
    backed_bytes: float = 0.0  # what the host holds for the guest: touched once, not ballooned
    backlog_requests: float = 0.0
    restart_in_s: float = 0.0  # above 0: the workload was killed
    uptime_s: float = 0.0
    swap_in_bytes: float = 0.0
    swap_out_bytes: float = 0.0
    major_faults: float = 0.0
    minor_faults: float = 0.0
    refaults: float = 0.0
    file_read_bytes: float = 0.0  # from its disks, into its page cache
    oom_kills: int = 0
    pressure_some_s: float = 0.0
    pressure_full_s: float = 0.0

    @property
    def actual_bytes(self) -> float:
        """What the guest holds: max - balloon."""
        return self.max_bytes - self.balloon_bytes

    @property
    def in_use_bytes(self) -> float:
        """Everything that is not free: the kernel, its cache and what programs touched."""
        return (
            self.kernel_bytes
            + self.system_bytes
            + self.cache_bytes
            + self.hot_resident_bytes
            + self.cold_resident_bytes
        )

    @property
    def free_bytes(self) -> float:
        """What nobody uses of what the guest holds."""
        return self.actual_bytes - self.in_use_bytes

    @property
    def hot_bytes(self) -> float:
        """The hot set, wherever it is."""
        return self.hot_resident_bytes + self.hot_swapped_bytes + self.hot_untouched_bytes

    @property
    def swapped_bytes(self) -> float:
        """What lies in the guest's swap."""
        return self.hot_swapped_bytes + self.cold_swapped_bytes


def booted(max_bytes: int, load: Load, physics: GuestPhysics) -> GuestState:
    """A guest fresh from boot, its workload about to start."""
    state = GuestState(
        max_bytes=max_bytes,
        kernel_bytes=physics.kernel_fixed_bytes + max_bytes * physics.kernel_page_table_ratio,
        system_bytes=physics.system_bytes,
        cache_bytes=physics.cache_bytes_boot,
        cache_peak_bytes=physics.cache_bytes_boot,
    )
    assert state.free_bytes > physics.free_bytes_high, "no kernel boots in so little"
    state.backed_bytes = state.in_use_bytes
    start_heap(state, load)
    return state


def start_heap(state: GuestState, load: Load) -> None:
    """The workload starts: its heap is mapped, nothing of it is touched."""
    state.hot_resident_bytes = state.hot_swapped_bytes = 0.0
    state.cold_resident_bytes = state.cold_swapped_bytes = 0.0
    state.hot_untouched_bytes = float(load.hot_bytes)
    state.cold_unfilled_bytes = _cold_bytes(load)
    state.backlog_requests = 0.0


def change_load(state: GuestState, load: Load) -> None:
    """The workload is told to do something else: its hot set grows, shrinks, or stays."""
    if state.restart_in_s > 0:
        return  # it was killed; it will start with the new load
    change = load.hot_bytes - state.hot_bytes
    if change < 0:
        _shrink_hot(state, -change, keep=load.mode is HeapMode.COLD)
    else:
        if load.mode is HeapMode.COLD:
            change -= _warm_cold(state, change)
        state.hot_untouched_bytes += change
    cold_bytes = state.cold_resident_bytes + state.cold_swapped_bytes
    state.cold_unfilled_bytes = max(0.0, _cold_bytes(load) - cold_bytes)
    if load.mode is HeapMode.RELEASE:
        state.cold_resident_bytes = state.cold_swapped_bytes = 0.0


def _cold_bytes(load: Load) -> float:
    if load.mode is HeapMode.RELEASE:
        return 0.0
    return float(max(0, load.heap_bytes - load.hot_bytes))


def _shrink_hot(state: GuestState, less_bytes: float, *, keep: bool) -> None:
    """What leaves the hot set is a random part of it, resident or not."""
    share = less_bytes / state.hot_bytes
    resident, swapped = state.hot_resident_bytes * share, state.hot_swapped_bytes * share
    state.hot_resident_bytes -= resident
    state.hot_swapped_bytes -= swapped
    state.hot_untouched_bytes -= state.hot_untouched_bytes * share
    if keep:
        state.cold_resident_bytes += resident
        state.cold_swapped_bytes += swapped


def _warm_cold(state: GuestState, more_bytes: float) -> float:
    """A hot set that grows in a full heap takes in cold pages. Returns how many bytes."""
    cold_bytes = state.cold_resident_bytes + state.cold_swapped_bytes
    if cold_bytes <= 0:
        return 0.0
    taken = min(more_bytes, cold_bytes)
    share = taken / cold_bytes
    resident, swapped = state.cold_resident_bytes * share, state.cold_swapped_bytes * share
    state.cold_resident_bytes -= resident
    state.cold_swapped_bytes -= swapped
    state.hot_resident_bytes += resident
    state.hot_swapped_bytes += swapped
    return taken
