"""One host's tick: merging, compression, swap, and who dies when all of it is full."""

from aerostat.sim.compression import place
from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.full.columns import Deep
from aerostat.sim.fleet.full.constants import (
    BOOT_S,
    COPY_RATE,
    DECOMPRESS_S,
    HOST_PAGE_IN_S,
    HYPERVISOR_BYTES,
    RESTART_S,
    TOUCHES_PER_S,
)
from aerostat.sim.fleet.full.guest import kill
from aerostat.units import PAGE_BYTES


def settle(fleet: Fleet, deep: Deep, host: int) -> None:
    """Take stock of what a host's guests hold, and find room for it."""
    under, first, end = deep.under, fleet.hosts.first[host], fleet.hosts.end[host]
    backed = 0
    beside = 0  # what the VMs' processes need themselves
    for i in range(first, end):
        backed += deep.insides.touched_bytes[i]
        beside += HYPERVISOR_BYTES
    merge(fleet, deep, host)
    merged = min(under.merged_bytes[host], backed)
    room = fleet.hosts.total_bytes[host] - under.other_bytes[host]
    over = backed - merged + beside - room
    if over <= 0 and under.disk_bytes[host] == 0 and under.compressed_bytes[host] == 0:
        return
    placed = place(
        float(max(0, over)),
        float(backed - merged),
        under.compressed_ratio[host],
        float(under.pool_bytes_max[host]),
    )
    disk = int(placed.on_disk)
    if disk > under.swap_bytes[host]:
        kill_biggest(fleet, deep, host)
        disk = under.swap_bytes[host]
    swap(fleet, deep, host, disk, int(placed.compressed), max(1, backed))


def merge(fleet: Fleet, deep: Deep, host: int) -> None:
    """The scanner sees a page twice before it merges it; writes take merged pages apart."""
    under = deep.under
    if under.scan_rate[host] <= 0.0:
        return
    whole = 0
    largest = 0
    for i in range(fleet.hosts.first[host], fleet.hosts.end[host]):
        identical = min(deep.insides.identical_bytes[i], deep.insides.touched_bytes[i])
        whole += identical
        largest = max(largest, identical)
    can = whole - largest
    merged = under.merged_bytes[host]
    if can >= merged:
        under.merged_bytes[host] = min(can, merged + int(under.scan_rate[host] / 2 * fleet.tick_s))
    else:
        under.merged_bytes[host] = max(can, merged - int(COPY_RATE * fleet.tick_s))


def swap(fleet: Fleet, deep: Deep, host: int, disk: int, compressed: int, backed: int) -> None:
    """Count what moves between RAM and the host's swap, and what a touch waits for it."""
    under, tick_s = deep.under, fleet.tick_s
    ratio = min(1.0, disk / backed)
    count = fleet.hosts.end[host] - fleet.hosts.first[host]
    touched = min(TOUCHES_PER_S * ratio, 1.0 / HOST_PAGE_IN_S) * count * tick_s
    moved = int(touched) * PAGE_BYTES
    under.swap_in_bytes[host] += moved
    under.swap_out_bytes[host] += moved + max(0, disk - under.disk_bytes[host])
    under.disk_bytes[host] = disk
    under.compressed_bytes[host] = compressed
    wait_s = ratio * HOST_PAGE_IN_S + min(1.0, compressed / backed) * DECOMPRESS_S
    under.wait_per_touch_s[host] = wait_s


def kill_biggest(fleet: Fleet, deep: Deep, host: int) -> None:
    """A host whose RAM and swap are full loses its biggest VM, which boots anew.

    The new one's balloon is empty; the standing target is sent again, for when it has a driver.
    """
    guests = fleet.guests
    biggest = fleet.hosts.first[host]
    for i in range(fleet.hosts.first[host], fleet.hosts.end[host]):
        if deep.insides.touched_bytes[i] > deep.insides.touched_bytes[biggest]:
            biggest = i
    kill(deep.insides, biggest)
    deep.insides.oom_kills[biggest] -= 1  # it was not its own kernel
    deep.insides.cache_bytes[biggest] = 0
    deep.insides.touched_bytes[biggest] = deep.insides.kernel_bytes[biggest]
    deep.insides.restart_in_s[biggest] = BOOT_S + RESTART_S
    guests.actual_bytes[biggest] = guests.max_bytes[biggest]
    guests.swapped_bytes[biggest] = 0
    guests.available_bytes[biggest] = (
        guests.actual_bytes[biggest] - deep.insides.kernel_bytes[biggest]
    )
    deep.under.oom_kills[host] += 1
