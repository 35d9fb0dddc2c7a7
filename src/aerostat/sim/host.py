"""The host under simulated guests: what they hold of it, and what does not fit into it."""

from collections.abc import Sequence

from aerostat.model.host import HostMemory
from aerostat.sim.compression import Placed, place
from aerostat.sim.constants import REQUEST_TOUCHES, HostPhysics
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.host_side import hold_to_its_limit, read_back, touched_bytes
from aerostat.sim.merging import Merging
from aerostat.units import PAGE_BYTES

_NOTHING_PLACED = Placed(0.0, 0.0, 0.0)


class SimulatedHost:
    """A host's memory. What its guests hold beyond its RAM lies in its swap, a fair part of each.

    A page the host has swapped out costs whoever touches it a wait; which pages those are is a
    matter of chance here, where a real host swaps out what it believes is cold. As soon as there
    is room everything is back, and only where ``swap_sticks`` stays until it is touched.
    """

    def __init__(self, physics: HostPhysics) -> None:
        self.physics = physics
        self.other_bytes = float(physics.other_bytes)  # a test moves it to squeeze the host
        self.shared_bytes = 0.0  # saved by merging equal pages; a test moves it, as writes would
        self.stall_per_touch_s = 0.0
        self.oom_kills = 0  # counted by the world
        self._merging = Merging(physics)
        self._held_bytes = 0.0
        self._merged_bytes = 0.0
        self._placed = _NOTHING_PLACED
        self._stuck_bytes = 0.0
        self._paged_out_bytes = 0.0
        self._swap_in_bytes = 0.0
        self._swap_out_bytes = 0.0
        self._stalled_s = 0.0

    @property
    def held_bytes(self) -> int:
        """RAM that the guests and their hypervisor processes hold, the compressed pool too."""
        moved = self._placed.on_disk + self._placed.compressed - self._placed.pool
        return int(self._held_bytes - moved - self._paged_out_bytes - self._merged_bytes)

    @property
    def over_bytes(self) -> int:
        """What is needed beyond RAM and swap together: a real host would kill somebody."""
        return int(max(0.0, self._in_swap_bytes - self.physics.swap_bytes))

    @property
    def _in_swap_bytes(self) -> float:
        return self._placed.on_disk + self._paged_out_bytes

    @property
    def merged_bytes(self) -> int:
        """What merging equal pages saves now."""
        return int(self._merged_bytes)

    @property
    def pool_bytes(self) -> int:
        """RAM that compressed pages take."""
        return int(self._placed.pool)

    def settle(self, guests: Sequence[SimulatedGuest], dt_s: float) -> None:
        """Take stock after a step of the guests."""
        if not self._has_room(guests):
            self._find_room(guests, dt_s)

    def _has_room(self, guests: Sequence[SimulatedGuest]) -> bool:
        """Whether all fits, as it did before: most hosts, most of the time, and nothing moves."""
        backed = 0.0
        for guest in guests:
            side = guest.host_side
            if guest.limit_bytes is not None or side.paged_out_bytes > 0.0:
                return False
            backed += guest.held_bytes
        if self._placed != _NOTHING_PLACED or self._stuck_bytes > 0.0:
            return False
        if self.physics.merge_scan_bytes_per_s > 0:
            return False
        held = backed + len(guests) * self.physics.hypervisor_bytes
        merged = min(self.shared_bytes, backed)
        if held - merged > max(0.0, self.physics.total_bytes - self.other_bytes):
            return False
        self._held_bytes, self._merged_bytes = held, merged
        self._paged_out_bytes = self.stall_per_touch_s = 0.0
        for guest in guests:
            guest.host_side.rest()
        return True

    def _find_room(self, guests: Sequence[SimulatedGuest], dt_s: float) -> None:
        """What does not fit goes to swap, and what is touched of that comes back."""
        read = sum(read_back(guest, self.physics, dt_s) for guest in guests)
        self._swap_out_bytes += sum(hold_to_its_limit(guest, self.physics) for guest in guests)
        self._paged_out_bytes = sum(guest.host_side.paged_out_bytes for guest in guests)
        backed = sum(guest.held_bytes for guest in guests)
        self._held_bytes = backed + len(guests) * self.physics.hypervisor_bytes
        room = max(0.0, self.physics.total_bytes - self.other_bytes)
        self._merge(guests, backed, dt_s)
        over = self._held_bytes - self._merged_bytes - self._paged_out_bytes - room
        before = self._placed.on_disk
        most = backed - self._merged_bytes - self._paged_out_bytes
        self._placed = self._place(over, most, dt_s)
        on_disk = self._placed.on_disk
        swapped = on_disk + self._placed.compressed
        share = swapped / backed if backed > 0 else 0.0
        ratio = on_disk / backed if backed > 0 else 0.0
        # Each touch of a swapped page brings it in and pushes another one out.
        touches = sum(guest.load.requests_per_s for guest in guests) * REQUEST_TOUCHES * dt_s
        moved = min(touches * ratio, dt_s / self.physics.page_in_s * len(guests)) * PAGE_BYTES
        # What a guest writes to its own swap has to come in from the host's first.
        moved += sum(guest.pushed_bytes for guest in guests) * ratio
        for guest in guests:
            guest.host_side.swapped_bytes = guest.held_bytes * share
            own = min(touched_bytes(guest, dt_s), dt_s / self.physics.page_in_s * PAGE_BYTES)
            own = (own + guest.pushed_bytes) * ratio
            guest.host_side.count(own, self.physics.page_in_s, dt_s)
        self._swap_out_bytes += moved + max(0.0, on_disk - before)
        if self.physics.swap_sticks:
            moved += self._leave_in_swap(guests, before, ratio)
        for guest in guests:
            guest.host_side.swapped_bytes += guest.host_side.paged_out_bytes
        moved += read
        self._swap_in_bytes += moved
        stall_s = ratio * self.physics.page_in_s
        if self._placed.compressed > 0:
            stall_s += self._placed.compressed / backed * self.physics.decompress_s
        self.stall_per_touch_s = stall_s
        self._stalled_s += min(dt_s, moved / PAGE_BYTES * self.physics.page_in_s)
        self._wait_for_writing(dt_s)

    def _leave_in_swap(
        self, guests: Sequence[SimulatedGuest], before: float, ratio: float
    ) -> float:
        """What need not be in swap any more stays there; what went to balloons was read back."""
        given = sum(guest.given_bytes for guest in guests) * ratio
        left = max(0.0, before - self._placed.on_disk - given)
        held = sum(guest.held_bytes - guest.host_side.paged_out_bytes for guest in guests)
        for guest in guests:
            side = guest.host_side
            if left > 0:
                side.paged_out_bytes += (guest.held_bytes - side.paged_out_bytes) * (left / held)
            side.count(guest.given_bytes * ratio, self.physics.page_in_s, 0.0)
        self._paged_out_bytes += left
        return given

    def _merge(self, guests: Sequence[SimulatedGuest], backed: float, dt_s: float) -> None:
        if self.physics.merge_scan_bytes_per_s > 0:
            identical = [min(float(g.load.identical_bytes), g.held_bytes) for g in guests]
            self._merging.settle(identical, dt_s)
        self._merged_bytes = min(self.shared_bytes + self._merging.merged_bytes, backed)

    def _place(self, over: float, most: float, dt_s: float) -> Placed:
        """Move what has no room; writing to disk takes its time."""
        physics = self.physics
        placed = place(over, most, physics.compressed_ratio, physics.compressed_pool_bytes_max)
        can = self._placed.on_disk + physics.swap_out_bytes_per_s * max(dt_s, 1e-9)
        self._stuck_bytes = max(0.0, placed.on_disk - can)
        return placed._replace(on_disk=placed.on_disk - self._stuck_bytes)

    def _wait_for_writing(self, dt_s: float) -> None:
        """With RAM full and the swap device busy, who wants a page waits for a write."""
        if self._stuck_bytes > 0:
            self.stall_per_touch_s += PAGE_BYTES / self.physics.swap_out_bytes_per_s
            self._stalled_s += dt_s

    def memory(self) -> HostMemory:
        """The host's figures now."""
        used = self.held_bytes + self.other_bytes
        free = int(max(0.0, self.physics.total_bytes - used))
        swap_free = max(0, self.physics.swap_bytes - int(self._in_swap_bytes))
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
