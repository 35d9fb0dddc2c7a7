"""The balloon driver in a simulated guest."""

from aerostat.sim.constants import GuestPhysics
from aerostat.sim.guest_state import GuestState
from aerostat.sim.reclaim import Step, reclaim, swap_out
from aerostat.units import PAGE_BYTES


def move_balloon(state: GuestState, step: Step, target_bytes: float) -> None:
    """Inflate or deflate towards a target of the guest's memory, as far as this step goes."""
    more = (state.max_bytes - target_bytes) - state.balloon_bytes
    if more < 0:
        _deflate(state, step, -more)
    elif more > 0 and not state.balloon_has_yielded:
        _inflate(state, step, more)


def deflate_on_oom(state: GuestState, step: Step) -> bool:
    """Give some of the balloon back instead of killing; returns whether it could.

    The driver does not take it again until it is given a new target.
    """
    if not step.deflate_on_oom or state.balloon_bytes <= 0:
        return False
    back = step.physics.deflate_on_oom_bytes_per_s * step.dt_s
    state.balloon_bytes -= min(back, state.balloon_bytes)
    state.balloon_has_yielded = True
    return True


def _deflate(state: GuestState, step: Step, want_bytes: float) -> None:
    given = min(want_bytes, step.physics.deflate_bytes_per_s * step.dt_s)
    state.balloon_bytes -= given
    _spend(step, given / step.physics.deflate_bytes_per_s)


def _inflate(state: GuestState, step: Step, want_bytes: float) -> None:
    """Take free memory and clean cache fast, and the rest as fast as swap takes it.

    The driver never digs into the kernel's last reserve and never causes a kill: when nothing can
    be had it stops where it is, and tries again in the next step.
    """
    physics = step.physics
    # Of the free pages it takes, some the host backs and some were never touched: a fair draw.
    touched_ratio = _touched_ratio(state)
    rate = _inflate_rate(physics, touched_ratio)
    if step.balloon_stall_s > 0:  # its pages are zeroed for it, and so must come in first
        rate = PAGE_BYTES / (PAGE_BYTES / rate + step.balloon_stall_s)
    want = min(want_bytes, rate * step.dt_s)
    room = max(0.0, state.free_bytes - physics.free_bytes_min)
    swapped = 0.0
    if room < want:
        cached = max(0.0, state.cache_bytes - physics.cache_bytes_min)
        dropped = reclaim(state, step, min(want - room, cached))
        swapped = swap_out(state, step, want - room - dropped)
        room += dropped + swapped
    taken = min(want, room)
    if taken <= 0:
        return
    state.backed_bytes -= taken * _touched_ratio(state)
    state.balloon_bytes += taken
    swapping_s = swapped / step.swap.out_bytes_per_s if swapped else 0.0
    step.stalled_some_s += swapping_s
    _spend(step, (taken - swapped) / rate + swapping_s)


def _touched_ratio(state: GuestState) -> float:
    """Of what is free, what was touched before: the host backs it."""
    if state.free_bytes <= 0:
        return 1.0
    idle_backed = state.backed_bytes - state.in_use_bytes
    return min(1.0, max(0.0, idle_backed / state.free_bytes))


def _inflate_rate(physics: GuestPhysics, touched_ratio: float) -> float:
    if physics.inflate_untouched_factor == 1.0:
        return physics.inflate_bytes_per_s
    slowness = touched_ratio + (1.0 - touched_ratio) / physics.inflate_untouched_factor
    return physics.inflate_bytes_per_s / slowness


def _spend(step: Step, busy_s: float) -> None:
    """The driver and the workload share one CPU while the balloon moves."""
    step.cpu_s -= min(step.cpu_s, busy_s * step.physics.balloon_cpu_share)
