"""One step of a guest's physics: a state and a load in, the state after it and what was served out.

No clock, no randomness, nothing kept between calls but the state.
"""

import copy
from dataclasses import dataclass

from aerostat.sim.ages import UNIFORM
from aerostat.sim.balloon import move_balloon
from aerostat.sim.constants import GuestPhysics, SwapDevice
from aerostat.sim.guest_state import GuestState, HeapMode, Load
from aerostat.sim.reclaim import HostStall, Step, reclaim_in_background
from aerostat.sim.reporting import report_free_pages
from aerostat.sim.workload import Served, serve, share_granted, uncached_ratio
from aerostat.units import PAGE_BYTES

NO_STALL = HostStall()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestBuild:
    """What a guest is made of, for as long as it lives."""

    max_bytes: int
    physics: GuestPhysics = GuestPhysics()
    swap: SwapDevice = SwapDevice()
    deflate_on_oom: bool = True
    free_page_reporting: bool = False
    figures_after_s: float = 0.0  # its driver reports nothing before that uptime
    has_agent: bool = (
        False  # an agent in it tells how long it waits, and what it misses of its cache
    )
    limit_bytes: int | None = None  # of its process's own cgroup on the host
    touches_all: bool = False  # its system touches all its RAM as it boots, as Windows does


def advance(
    before: GuestState,
    load: Load,
    build: GuestBuild,
    *,
    dt_s: float,
    target_bytes: float | None,
    host_stall: HostStall = NO_STALL,
) -> tuple[GuestState, Served]:
    """What a guest becomes in ``dt_s``; ``before`` stays what it is. See ``live``."""
    state = copy.copy(before)
    served = live(state, load, build, dt_s=dt_s, target_bytes=target_bytes, host_stall=host_stall)
    return state, served


def live(
    state: GuestState,
    load: Load,
    build: GuestBuild,
    *,
    dt_s: float,
    target_bytes: float | None,
    host_stall: HostStall = NO_STALL,
) -> Served:
    """Let ``dt_s`` pass in a guest.

    ``target_bytes`` is what the balloon driver was asked to leave; None: it does not move.
    """
    assert dt_s > 0
    if host_stall is NO_STALL and is_at_rest(state, load, build, target_bytes):
        state.uptime_s += dt_s
        offered = load.requests_per_s * dt_s
        return Served(offered=offered, served=offered)
    step = Step(
        physics=build.physics,
        swap=build.swap,
        deflate_on_oom=build.deflate_on_oom,
        dt_s=dt_s,
        cpu_s=dt_s,
        swap_out_bytes=_swap_out_rate(build, host_stall.touch_s) * dt_s,
        balloon_stall_s=host_stall.balloon_s,
    )
    state.uptime_s += dt_s
    if target_bytes is not None:
        move_balloon(state, step, min(max(target_bytes, 0.0), float(state.max_bytes)))
    _fill_heap(state, load, step)
    served = serve(state, load, step, host_stall.touch_s)
    _read_files(state, load, step)
    reclaim_in_background(state, step)
    state.backed_bytes = min(max(state.backed_bytes, state.in_use_bytes), state.actual_bytes)
    if build.free_page_reporting:
        report_free_pages(state, step)
    state.pressure_some_s += min(dt_s, step.stalled_some_s)
    state.pressure_full_s += min(dt_s, step.stalled_full_s)
    return served


def is_at_rest(
    state: GuestState, load: Load, build: GuestBuild, target_bytes: float | None
) -> bool:
    """Whether a step changes nothing but the time and what was served: mostly, it does.

    Its balloon is where it should be, its work has all its pages and reads no files, nobody waits,
    and its kernel has no reason to reclaim. A test holds what is left out to have no effect.
    """
    more = 0.0
    if target_bytes is not None:
        asked = min(max(target_bytes, 0.0), float(state.max_bytes))
        more = (state.max_bytes - asked) - state.balloon_bytes
    physics = build.physics
    hot_bytes = state.hot_resident_bytes
    return (
        more == 0.0
        and state.hot_untouched_bytes == 0.0
        and state.hot_swapped_bytes == 0.0
        and state.backlog_requests == 0.0
        and state.restart_in_s == 0.0
        and hot_bytes > 0.0
        and load.file_bytes <= 0
        and load.request_file_pages <= 0
        and (load.mode is not HeapMode.COLD or state.cold_unfilled_bytes == 0.0)
        and not build.free_page_reporting
        and load.ages == UNIFORM
        and load.requests_per_s * physics.request_cpu_s < 1.0
        and state.free_bytes >= physics.free_bytes_low
        and state.in_use_bytes <= state.backed_bytes <= state.actual_bytes
    )


def _swap_out_rate(build: GuestBuild, host_stall_s: float) -> float:
    """A page that the host has swapped out must come in there before the guest can write it out."""
    page_out_s = PAGE_BYTES / build.swap.out_bytes_per_s
    return PAGE_BYTES / (page_out_s + host_stall_s)


def _fill_heap(state: GuestState, load: Load, step: Step) -> None:
    """A workload that keeps its heap fills it first, the hot part too."""
    if state.restart_in_s > 0 or load.mode is not HeapMode.COLD:
        return
    left = step.physics.heap_fill_bytes_per_s * step.dt_s
    hot = min(left, state.hot_untouched_bytes)
    cold = min(left - hot, state.cold_unfilled_bytes)
    if hot + cold <= 0:
        return
    share = share_granted(state, step, hot + cold)
    if share is None:
        return
    state.hot_untouched_bytes -= hot * share
    state.hot_resident_bytes += hot * share
    state.cold_unfilled_bytes -= cold * share
    state.cold_resident_bytes += cold * share
    state.minor_faults += (hot + cold) * share / PAGE_BYTES


def _read_files(state: GuestState, load: Load, step: Step) -> None:
    """Read files through the page cache, which grows into free memory only."""
    if load.file_bytes <= 0:
        return
    held = max(0.0, state.cache_bytes - step.physics.cache_bytes_min)
    absent = max(0.0, load.file_bytes - held)
    pages = load.file_pages_per_s * step.dt_s  # asked for
    if step.physics.file_read_s > 0:  # one reader, who waits for each page
        misses = uncached_ratio(state, load, step) * step.physics.file_read_s
        pages = min(pages, step.dt_s / misses if misses > 0 else pages)
    pages += step.file_pages
    if load.file_ages == UNIFORM:
        read = pages * PAGE_BYTES * absent / load.file_bytes
    else:
        read = pages * PAGE_BYTES * uncached_ratio(state, load, step)
    if read <= 0:
        return
    # Pages that the cache once held and dropped are what the kernel counts as refaults.
    dropped = max(0.0, min(state.cache_peak_bytes, load.file_bytes) - held)
    refaults = read / PAGE_BYTES * min(1.0, dropped / absent)
    state.refaults += refaults
    state.file_read_bytes += read
    step.stalled_some_s += refaults * step.physics.file_read_s
    state.major_faults += read / PAGE_BYTES
    room = max(0.0, state.free_bytes - step.physics.free_bytes_high)
    state.cache_bytes += min(read, absent, room)
    state.cache_peak_bytes = max(state.cache_peak_bytes, state.cache_bytes)
