"""Constants of the fleet's world, each with where it comes from."""

from typing import Final

from aerostat.units import GIB, MIB

INFLATE_RATE: Final = 0.9 * GIB
"""Bytes per second that one balloon takes. Published: 0.88 GiB/s of touched memory (KVM, Xeon)."""
DEFLATE_RATE: Final = 2.1 * GIB
"""Bytes per second that one balloon gives back. Published: 2.11 GiB/s (KVM, Xeon)."""
SWAP_RATE: Final = 80 * MIB
"""Bytes per second of a guest's swap each way. Lab: a balloon in a cold guest took 56-102 MiB/s."""
STALL_FACTOR: Final = 10.0
"""Chosen: a guest that lacks a tenth of its demand waits for memory all the time."""
DISTRESS_RATIO: Final = 0.05
"""A guest that lacks more than this share of its demand counts as in distress."""
RESERVE_RATIO: Final = 0.10
"""Of the host's RAM, not for guests: the reserve that the product ships with."""
MIN_RATIO: Final = 0.05
"""Of a guest's max: the least it may be given, under every policy alike."""
FIGURES_AGE_TICKS_MAX: Final = 2
"""The guard believes figures so many ticks old: with the 5 s it ships with, none of a 10 s tick."""
START_S: Final = 1_000.0
"""Monotonic time of the first tick; anything but 0, which nobody's clock shows."""
WALL_S: Final = 1_700_000_000.0
"""Wall time is monotonic time and this."""
