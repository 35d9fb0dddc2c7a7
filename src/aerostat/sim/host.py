"""The host under simulated guests: what they hold of it, and its swap when that is too much."""

from collections.abc import Sequence

from aerostat.model.host import HostMemory
from aerostat.sim.constants import REQUEST_TOUCHES, HostPhysics
from aerostat.sim.guest import SimulatedGuest
from aerostat.units import PAGE_BYTES


class SimulatedHost:
    """A host's memory. What its guests hold beyond its RAM lies in its swap, a fair part of each.

    A page the host has swapped out costs whoever touches it a wait; which pages those are is a
    matter of chance here, where a real host swaps out what it believes is cold.
    """

    def __init__(self, physics: HostPhysics) -> None:
        self.physics = physics
        self.other_bytes = float(physics.other_bytes)  # a test moves it to squeeze the host
        self.shared_bytes = 0.0  # saved by merging equal pages; a test moves it, as writes would
        self.stall_per_touch_s = 0.0
        self._held_bytes = 0.0
        self._merged_bytes = 0.0
        self._swapped_bytes = 0.0
        self._swap_in_bytes = 0.0
        self._swap_out_bytes = 0.0
        self._stalled_s = 0.0

    @property
    def held_bytes(self) -> int:
        """RAM that the guests and their hypervisor processes hold."""
        return int(self._held_bytes - self._swapped_bytes - self._merged_bytes)

    @property
    def over_bytes(self) -> int:
        """What is needed beyond RAM and swap together: a real host would kill somebody."""
        return int(max(0.0, self._swapped_bytes - self.physics.swap_bytes))

    def settle(self, guests: Sequence[SimulatedGuest], dt_s: float) -> None:
        """Take stock after a step of the guests."""
        backed = sum(guest.held_bytes for guest in guests)
        self._held_bytes = backed + len(guests) * self.physics.hypervisor_bytes
        room = max(0.0, self.physics.total_bytes - self.other_bytes)
        self._merged_bytes = min(self.shared_bytes, backed)
        over = self._held_bytes - self._merged_bytes - room
        swapped = min(backed - self._merged_bytes, max(0.0, over))
        ratio = swapped / backed if backed > 0 else 0.0
        for guest in guests:
            guest.host_swapped_bytes = guest.held_bytes * ratio
        # Each touch of a swapped page brings it in and pushes another one out.
        touches = sum(guest.load.requests_per_s for guest in guests) * REQUEST_TOUCHES * dt_s
        moved = min(touches * ratio, dt_s / self.physics.page_in_s * len(guests)) * PAGE_BYTES
        # What a guest writes to its own swap has to come in from the host's first.
        moved += sum(guest.pushed_bytes for guest in guests) * ratio
        self._swap_in_bytes += moved
        self._swap_out_bytes += moved + max(0.0, swapped - self._swapped_bytes)
        self._swapped_bytes = swapped
        self.stall_per_touch_s = ratio * self.physics.page_in_s
        self._stalled_s += min(dt_s, moved / PAGE_BYTES * self.physics.page_in_s)

    def memory(self) -> HostMemory:
        """The host's figures now."""
        used = self.held_bytes + self.other_bytes
        free = int(max(0.0, self.physics.total_bytes - used))
        swap_free = max(0, self.physics.swap_bytes - int(self._swapped_bytes))
        return HostMemory(
            total_bytes=self.physics.total_bytes,
            available_bytes=free,
            free_bytes=free,
            cache_bytes=0,
            swap_total_bytes=self.physics.swap_bytes,
            swap_free_bytes=swap_free,
            swap_in_bytes=int(self._swap_in_bytes),
            swap_out_bytes=int(self._swap_out_bytes),
            revocable_bytes=int(self._merged_bytes) or None,
            pressure_some_total_s=self._stalled_s,
            pressure_full_total_s=0.0,
        )


class SimulatedSensor:
    """The port ``HostSensor`` on a simulated host."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host

    def read(self) -> HostMemory:
        """Read now."""
        return self._host.memory()
