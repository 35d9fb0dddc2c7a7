"""How a guest's kernel finds room: it drops cache, swaps out what is cold, then what is hot."""

from dataclasses import dataclass
from typing import NamedTuple

from aerostat.sim.constants import GuestPhysics, SwapDevice
from aerostat.sim.guest_state import GuestState
from aerostat.units import PAGE_BYTES


class HostStall(NamedTuple):
    """What a guest waits for because its host has swapped its memory out."""

    touch_s: float = 0.0  # the mean touch
    balloon_s: float = 0.0  # the mean page for its balloon, which is zeroed first


@dataclass(slots=True, kw_only=True)
class Step:
    """One step of the world for one guest: its constants, and what the step has left to spend."""

    physics: GuestPhysics
    swap: SwapDevice
    deflate_on_oom: bool
    dt_s: float
    cpu_s: float  # of the guest's one CPU, left for the workload
    swap_out_bytes: float  # left of the swap device's bandwidth
    balloon_stall_s: float = 0.0  # a page for the balloon may lie in the host's swap: the mean wait
    file_pages: float = 0.0  # of files, that the requests of this step asked for
    stalled_some_s: float = 0.0
    stalled_full_s: float = 0.0

    @property
    def page_out_s(self) -> float:
        """Seconds for one page to swap."""
        return PAGE_BYTES / self.swap.out_bytes_per_s


def reclaim(state: GuestState, step: Step, want_bytes: float) -> float:
    """Free up to ``want_bytes``; returns what came free."""
    dropped = min(want_bytes, max(0.0, state.cache_bytes - step.physics.cache_bytes_min))
    state.cache_bytes -= dropped
    return dropped + swap_out(state, step, want_bytes - dropped)


def swap_out(state: GuestState, step: Step, want_bytes: float) -> float:
    """Write out anonymous memory, as far as bandwidth and swap space go."""
    space = min(step.swap_out_bytes, swap_space_bytes(state, step))
    blind = _taken_blindly(state, step, min(want_bytes, space))
    cold = min(want_bytes - blind, space - blind, state.cold_resident_bytes)
    hot = blind + min(
        want_bytes - blind - cold, space - blind - cold, state.hot_resident_bytes - blind
    )
    written = cold + hot
    if written <= 0:
        return 0.0
    state.cold_resident_bytes -= cold
    state.cold_swapped_bytes += cold
    state.hot_resident_bytes -= hot
    state.hot_swapped_bytes += hot
    state.swap_out_bytes += written
    step.swap_out_bytes -= written
    return written


def _taken_blindly(state: GuestState, step: Step, want_bytes: float) -> float:
    """What is hot and goes with the cold, because the kernel cannot tell them apart yet."""
    resident = state.cold_resident_bytes + state.hot_resident_bytes
    if step.physics.reclaim_blind_ratio == 0.0 or resident <= 0.0:
        return 0.0
    share = state.hot_resident_bytes / resident
    return step.physics.reclaim_blind_ratio * share * min(want_bytes, resident)


def swap_space_bytes(state: GuestState, step: Step) -> float:
    """What the swap device can still take."""
    return max(0.0, step.swap.size_bytes - state.swapped_bytes)


def allocate(state: GuestState, step: Step, want_bytes: float) -> float:
    """Room for ``want_bytes`` of new pages; returns how much of it there is.

    The caller must put that much to use at once: nothing is set aside.
    """
    room = max(0.0, state.free_bytes - step.physics.free_bytes_min)
    if room < want_bytes:
        room += reclaim(state, step, want_bytes - room)
    return min(want_bytes, room)


def reclaim_in_background(state: GuestState, step: Step) -> None:
    """The kernel's own reclaim: when free memory is low, up to the high mark."""
    free = state.free_bytes
    if free < step.physics.free_bytes_low:
        reclaim(state, step, step.physics.free_bytes_high - free)


def is_out_of_memory(state: GuestState, step: Step) -> bool:
    """Nothing free, nothing to drop, nowhere to swap: only killing would help."""
    return (
        state.free_bytes <= step.physics.free_bytes_min + PAGE_BYTES
        and state.cache_bytes <= step.physics.cache_bytes_min + PAGE_BYTES
        and swap_space_bytes(state, step) < PAGE_BYTES
    )
