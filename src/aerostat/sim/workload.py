"""The workload of a simulated guest: requests that touch random pages of a hot set.

Requests arrive at their own pace whatever the guest manages, so one that finds its pages in swap
keeps all behind it waiting. What has waited too long is given up, and counts as offered.
"""

from typing import NamedTuple

from aerostat.sim.ages import UNIFORM, hit_ratio
from aerostat.sim.balloon import deflate_on_oom
from aerostat.sim.constants import REQUEST_TOUCHES
from aerostat.sim.guest_state import GuestState, Load, start_heap
from aerostat.sim.reclaim import Step, allocate, is_out_of_memory
from aerostat.units import PAGE_BYTES


class Served(NamedTuple):
    """What came of the requests of one step; amounts need not be whole."""

    offered: float
    served: float = 0.0
    shed: float = 0.0
    wait_first_s: float = 0.0  # how long the first one served had waited
    wait_last_s: float = 0.0
    fault_s: float = 0.0  # a request's time spent on pages that were not there


class _Odds(NamedTuple):
    """Of one touch: where its page is, and what a request's missing pages cost it in seconds."""

    swapped: float
    untouched: float
    stall_s: float  # waiting for memory or swap
    fault_s: float  # all of it, with plain first touches


def serve(state: GuestState, load: Load, step: Step, host_stall_s: float) -> Served:
    """Serve requests for one step.

    ``host_stall_s`` is what the mean touch waits for pages that the host has swapped out.
    """
    offered = load.requests_per_s * step.dt_s
    if state.restart_in_s > 0:
        _wait_for_restart(state, load, step)
        return Served(offered=offered, shed=offered)
    if offered <= 0 or state.hot_bytes <= 0:
        return Served(offered=offered, served=offered)
    odds = _odds(state, load, step, host_stall_s)
    before = state.backlog_requests
    can = step.cpu_s / (step.physics.request_cpu_s + odds.fault_s)
    wanted = min(before + offered, can)
    served = wanted * _touch(state, step, odds, wanted * REQUEST_TOUCHES * PAGE_BYTES)
    step.file_pages += served * load.request_file_pages
    if state.restart_in_s > 0:
        return Served(offered=offered, shed=before + offered)
    _stall(step, served * odds.stall_s, is_stuck=served < 0.5 * wanted)
    waiting = before + offered - served
    shed = max(0.0, waiting - load.requests_per_s * step.physics.wait_s_max)
    state.backlog_requests = waiting - shed
    return Served(
        offered=offered,
        served=served,
        shed=shed,
        wait_first_s=before / load.requests_per_s,
        wait_last_s=state.backlog_requests / load.requests_per_s,
        fault_s=odds.fault_s,
    )


def _odds(state: GuestState, load: Load, step: Step, host_stall_s: float) -> _Odds:
    swapped, untouched = _missing(state, load)
    # Without free memory each page that comes in must first push another one out.
    is_short = step.swap.size_bytes > 0 and state.free_bytes < step.physics.free_bytes_low
    push_s = step.page_out_s if is_short else 0.0
    stall_s = REQUEST_TOUCHES * (
        swapped * (step.swap.page_in_s + push_s) + untouched * push_s + host_stall_s
    )
    if load.request_file_pages > 0:
        stall_s += (
            load.request_file_pages * uncached_ratio(state, load, step) * (step.physics.file_read_s)
        )
    plain_s = REQUEST_TOUCHES * untouched * step.physics.first_touch_s
    return _Odds(swapped=swapped, untouched=untouched, stall_s=stall_s, fault_s=stall_s + plain_s)


def _missing(state: GuestState, load: Load) -> tuple[float, float]:
    """Of the touches, those whose page lies in swap, and those whose page nobody holds yet.

    The kernel keeps what was used last, so where the ages differ the oldest are in swap.
    """
    hot_bytes = state.hot_bytes
    if load.ages == UNIFORM:
        return state.hot_swapped_bytes / hot_bytes, state.hot_untouched_bytes / hot_bytes
    resident = hit_ratio(*load.ages, state.hot_resident_bytes / hot_bytes)
    touched_bytes = state.hot_resident_bytes + state.hot_swapped_bytes
    touched = hit_ratio(*load.ages, touched_bytes / hot_bytes)
    return touched - resident, 1.0 - touched


def uncached_ratio(state: GuestState, load: Load, step: Step) -> float:
    """Of the pages read from files, those that the page cache does not hold."""
    if load.file_bytes <= 0:
        return 0.0
    held = max(0.0, state.cache_bytes - step.physics.cache_bytes_min)
    if load.file_ages == UNIFORM:
        return max(0.0, load.file_bytes - held) / load.file_bytes
    return 1.0 - hit_ratio(*load.file_ages, held / load.file_bytes)


def _touch(state: GuestState, step: Step, odds: _Odds, touched_bytes: float) -> float:
    """Bring in the missing pages among those touched; returns the share there was room for."""
    fresh = min(state.hot_untouched_bytes, touched_bytes * odds.untouched)
    back = min(state.hot_swapped_bytes, touched_bytes * odds.swapped)
    need = fresh + back
    if need <= 0:
        return 1.0
    share = share_granted(state, step, need)
    if share is None:
        return 0.0
    fresh = _but_for_a_byte(fresh * share, state.hot_untouched_bytes)
    back = _but_for_a_byte(back * share, state.hot_swapped_bytes)
    state.hot_untouched_bytes -= fresh
    state.hot_swapped_bytes -= back
    state.hot_resident_bytes += fresh + back
    state.minor_faults += fresh / PAGE_BYTES
    state.major_faults += back / PAGE_BYTES
    state.swap_in_bytes += back
    return share


def share_granted(state: GuestState, step: Step, need_bytes: float) -> float | None:
    """How much of some new pages there is room for; None: the workload was killed instead.

    With nothing free, nothing to drop and nowhere to swap the balloon lets go, if it is of that
    kind.
    """
    granted = allocate(state, step, need_bytes)
    if granted < need_bytes and is_out_of_memory(state, step) and not deflate_on_oom(state, step):
        _kill(state, step)
        return None
    return min(1.0, granted / need_bytes)


def _but_for_a_byte(some: float, whole: float) -> float:
    """Random touches never quite find the last page: what is left of less than a byte is found."""
    return whole if whole - some < 1.0 else some


def _stall(step: Step, stalled_s: float, *, is_stuck: bool) -> None:
    """One thread does all the work, so while it waits everything waits."""
    if is_stuck:
        stalled_s = step.dt_s
    step.stalled_some_s += stalled_s
    step.stalled_full_s += stalled_s


def _kill(state: GuestState, step: Step) -> None:
    """The kernel kills what holds most: the workload. Its memory is free at once."""
    start_heap(state, Load(hot_bytes=0))
    state.oom_kills += 1
    state.restart_in_s = step.physics.restart_s


def _wait_for_restart(state: GuestState, load: Load, step: Step) -> None:
    state.restart_in_s = max(0.0, state.restart_in_s - step.dt_s)
    if state.restart_in_s <= 0:
        start_heap(state, load)
