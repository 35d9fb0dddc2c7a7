"""Constants of the full physics, each with where it comes from; docs/simulator.md has them too."""

from typing import Final

from aerostat.units import GIB, MIB

KERNEL_BYTES: Final = 55 * MIB
"""That a guest's kernel and system never give up. Lab: 34 MiB outside its total, and 20 beside."""
PAGE_TABLE_RATIO: Final = 1 / 64
"""Of a guest's max, for what describes its pages. Linux: 64 bytes for each page of 4096."""
UNTOUCHED_FACTOR: Final = 1.7
"""How much faster a balloon takes memory never touched. Published: 1.50 over 0.88 GiB/s."""
TOUCH_RATE: Final = 1.8 * GIB
"""Bytes a second that a burst can touch. Published: a clang build in 16 GiB, at its steepest."""
PAGE_IN_S: Final = 0.00043
"""For a page from the guest's own swap. Lab: 0.48 ms under thrash, less the page that goes out."""
OUT_RATE: Final = 80.0 * MIB
"""Bytes a second to the guest's own swap. Lab: a balloon in a cold guest took 56 to 102 MiB/s."""
TOUCHES_PER_S: Final = 16_000.0
"""Pages that a guest's work touches when it is not held up. Lab: 2,000 requests of 8 pages."""
BUSY_RATIO: Final = 0.1
"""Of its processor that this work takes when every page is there. Lab: 30 us a request."""
FILE_PAGES_PER_S: Final = 1_000.0
"""Pages of files that it reads meanwhile. Chosen."""
FILE_READ_S: Final = 0.0001
"""For one that the cache has dropped. Lab: a random read of 4 KiB took 95 us (median)."""
YIELD_RATE: Final = 2.6 * MIB
"""Bytes a second that deflate-on-oom gives back. Lab: `actual` crept from 200 to 221 MiB in 8 s."""
REPORT_DELAY_S: Final = 2.0
"""Before free memory is reported. Linux: PAGE_REPORTING_DELAY."""
UNFIT_RATIO: Final = 0.05
"""Of free memory, in pieces too small to be reported. Chosen."""
RESTART_S: Final = 1.0
"""Until a workload that its guest's kernel killed is started again. Lab: its guest does so."""
BOOT_S: Final = 30.0
"""Until a VM that its host killed has been started again, before its workload is. Chosen."""
HYPERVISOR_BYTES: Final = 75 * MIB
"""That a VM's process needs itself. Lab: 67 to 86 MiB."""
HOST_PAGE_IN_S: Final = 0.0001
"""For a guest's page from the host's swap. Lab: as a read."""
DECOMPRESS_S: Final = 0.000006
"""For a compressed one. Published: 6 us (far memory, ASPLOS 2019)."""
COPY_RATE: Final = 1.0 * GIB
"""Bytes a second of merged memory that writes take apart. Chosen."""
