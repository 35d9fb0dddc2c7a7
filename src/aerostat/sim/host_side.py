"""What the host does to one simulated guest's memory, as the files of its process would tell."""

from dataclasses import dataclass
from typing import Protocol

from aerostat.sim.constants import REQUEST_TOUCHES, HostPhysics
from aerostat.sim.guest_state import Load
from aerostat.units import PAGE_BYTES


@dataclass(slots=True, kw_only=True)
class HostSide:
    """One guest as its host treats it; counters since it booted."""

    paged_out_bytes: float = 0.0  # in the host's swap until touched, room or no room
    swapped_bytes: float = 0.0  # all of its memory that lies there now
    swap_in_bytes: float = 0.0  # counter
    waited_s: float = 0.0  # counter: its threads waited for pages to come in
    limit_hits: float = 0.0  # counter: pages pushed out because of its own limit
    stall_per_touch_s: float = 0.0  # what the mean touch waits for what was paged out

    def rest(self) -> None:
        """All of its memory is in RAM, and nothing of it is on its way."""
        self.swapped_bytes = self.paged_out_bytes = self.stall_per_touch_s = 0.0

    def count(self, read_bytes: float, page_in_s: float, dt_s: float) -> None:
        """So much was read back for it."""
        self.swap_in_bytes += read_bytes
        self.waited_s += min(dt_s, read_bytes / PAGE_BYTES * page_in_s)


class Held(Protocol):
    """A guest as its host sees it."""

    host_side: HostSide
    pushed_bytes: float  # written to its own swap in the last step
    given_bytes: float  # given to the balloon in the last step, of what the host held

    @property
    def held_bytes(self) -> float:
        """In RAM or in swap."""

    @property
    def limit_bytes(self) -> int | None:
        """Of its process's own cgroup."""

    @property
    def load(self) -> Load:
        """What its workload was told to do."""

    @property
    def is_alive(self) -> bool:
        """Whether its CPU runs."""


def touched_bytes(guest: Held, dt_s: float) -> float:
    """Pages its workload touches in a step, in bytes."""
    if not guest.is_alive:
        return 0.0
    return guest.load.requests_per_s * REQUEST_TOUCHES * dt_s * PAGE_BYTES


def read_back(guest: Held, physics: HostPhysics, dt_s: float) -> float:
    """What was touched of its pages that were paged out comes in; returns how many bytes.

    By its own work; or because its kernel writes it to its own swap, or zeroes it for its balloon.
    Which pages were paged out is a matter of chance.
    """
    side = guest.host_side
    before = guest.held_bytes + guest.given_bytes
    if side.paged_out_bytes <= 0.0 or before <= 0.0:
        side.paged_out_bytes = side.stall_per_touch_s = 0.0
        return 0.0
    ratio = min(1.0, side.paged_out_bytes / before)
    touched = min(touched_bytes(guest, dt_s) * ratio, dt_s / physics.page_in_s * PAGE_BYTES)
    touched += (guest.pushed_bytes + guest.given_bytes) * ratio
    read = min(touched, side.paged_out_bytes)
    side.paged_out_bytes = min(side.paged_out_bytes - read, guest.held_bytes)
    side.stall_per_touch_s = ratio * physics.page_in_s
    side.count(read, physics.page_in_s, dt_s)
    return read


def hold_to_its_limit(guest: Held, physics: HostPhysics) -> float:
    """What is beyond its own cgroup's limit is paged out, whatever the host has left."""
    limit, side = guest.limit_bytes, guest.host_side
    if limit is None:
        return 0.0
    resident = guest.held_bytes - side.paged_out_bytes
    over = max(0.0, min(resident, resident + physics.hypervisor_bytes - limit))
    side.paged_out_bytes += over
    side.limit_hits += over / PAGE_BYTES
    return over
