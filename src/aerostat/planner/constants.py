"""What the planner takes for granted, each with where it comes from; all of it is printed."""

from typing import Final

from aerostat.units import MIB

RESERVE_RATIO: Final = 0.10
"""Of a host's RAM, not for guests: what the daemon ships with."""
REPORTED_RATIO: Final = 0.15
"""Of memory once touched and no longer in use, what free page reporting gives back. Published: one
clang build in a 16 GiB guest, default settings: 11.61 GiB resident without, 10.54 with, 4.7 in use
(HyperAlloc, EuroSys 2025)."""
POOL_RATIO: Final = 0.20
"""Of the host's RAM, the most that zswap's compressed pages may take: the kernel's default."""
MIN_STEP_BYTES: Final = 64 * MIB
"""Sizes that are recommended are whole numbers of this."""
FLOOR_BYTES: Final = 128 * MIB
"""No guest's system lives in less: as in the daemon."""
MAX_LEAST_BYTES: Final = 512 * MIB
"""No VM is advised to boot with less: what a trace calls used is not all of what it needs."""
ROOM_RATIO: Final = 0.25
"""Above the greatest use seen, for what has not been seen yet."""
WEIGHT_LEAST: Final = 25
WEIGHT_MOST: Final = 400
"""Weights are about 100: beyond these nobody's share should be decided by one month."""
TRAINING_RATIO: Final = 2 / 3
"""Of the time; what comes later is only judged on."""
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
