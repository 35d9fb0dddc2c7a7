"""Every constant of the simulated world, in one place; docs/simulator.md has their sources.

The defaults are those of the small guests measured under emulation (QEMU's TCG, Linux 6.1,
512 MiB), because those are the real guests that simulated ones are compared with.
"""

from dataclasses import dataclass

from aerostat.sim.compression import COMPRESSED_RATIO
from aerostat.units import GIB, MIB

REQUEST_TOUCHES = 8
"""Pages that one request of the workload touches, at random over the hot set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapDevice:
    """A guest's swap. ``size_bytes`` 0: none."""

    size_bytes: int = 512 * MIB
    page_in_s: float = 0.00043  # one page at a time: the workload waits for each
    out_bytes_per_s: float = 80 * MIB  # in clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPhysics:
    """How a guest's kernel, balloon driver and workload behave."""

    kernel_fixed_bytes: int = 34 * MIB  # never counted in the guest's total
    kernel_page_table_ratio: float = 1 / 64  # of max: 64 bytes describe each page of 4096
    system_bytes: int = 20 * MIB  # kernel objects and programs beside the workload
    cache_bytes_min: int = 2 * MIB  # of the page cache, what reclaim never gets
    cache_bytes_boot: int = 8 * MIB  # in the page cache after boot
    free_bytes_min: int = 4 * MIB  # allocations below this reclaim for themselves
    free_bytes_low: int = 8 * MIB  # below this the kernel reclaims in the background ...
    free_bytes_high: int = 12 * MIB  # ... up to this
    reclaim_blind_ratio: float = 0.0  # of what reclaim swaps, so much is taken hot and cold alike
    inflate_bytes_per_s: float = 0.9 * GIB  # free memory that was touched, and clean cache
    inflate_untouched_factor: float = 1.0  # so many times as fast over memory never touched
    deflate_bytes_per_s: float = 2.1 * GIB
    deflate_on_oom_bytes_per_s: float = 2.6 * MIB
    balloon_cpu_share: float = 0.5  # of the guest's one CPU while its balloon moves
    report_delay_s: float = 2.0  # free page reporting: how long memory lies free before it goes
    report_bytes_per_s: float = 640 * MIB
    report_block_bytes: int = 2 * MIB  # it goes in whole blocks ...
    report_unfit_ratio: float = 0.05  # ... and so much of what is free is in smaller pieces
    statistics_period_s: float = 1.0
    file_read_s: float = 0.0  # for a page of a file that the cache has dropped
    request_cpu_s: float = 0.0001  # of CPU for a request that finds all its pages
    first_touch_s: float = 0.00001  # to give out one zeroed page
    wait_s_max: float = 0.5  # a request that has waited longer is given up
    heap_fill_bytes_per_s: float = 150 * MIB  # how fast a heap is filled at start
    restart_s: float = 1.0  # until a killed workload is started again
    shutdown_s: float = 5.0  # from the power button to the end, with an empty balloon ...
    shutdown_balloon_bytes_per_s: float = 20 * MIB  # ... and longer by what is still in it


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPhysics:
    """The host under the guests."""

    total_bytes: int = 4 * GIB
    other_bytes: int = 512 * MIB  # held by the host's own programs
    hypervisor_bytes: int = 75 * MIB  # what a VM's process needs beside its guest's memory
    swap_bytes: int = 2 * GIB
    page_in_s: float = 0.0001  # for a guest's page that the host has swapped out
    swap_sticks: bool = False  # what was swapped out comes back only when it is touched
    swap_out_bytes_per_s: float = float("inf")  # how fast it can swap out
    compressed_ratio: float = COMPRESSED_RATIO  # size of a compressed page over that of a page
    compressed_pool_bytes_max: int = 0  # RAM that compressed pages may take; 0: no compression
    decompress_s: float = 0.000006  # for a page that is compressed
    merge_scan_bytes_per_s: float = 0.0  # by the scanner for equal pages; 0: it does not run
    copy_bytes_per_s: float = 1 * GIB  # of merged memory that guests write to
    kills_when_full: bool = False  # with RAM and swap full, its kernel kills the biggest VM


BASE_LATENCY = ((0.5, 0.0015), (0.4, 0.0026), (0.08, 0.0037), (0.02, 0.0047))
"""Latency in seconds of requests that wait for nothing: (share of them, seconds)."""
