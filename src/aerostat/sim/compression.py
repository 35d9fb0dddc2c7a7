"""Compressed memory under the guests (zswap, zram): swap that stays in RAM.

A compressed page still costs its compressed size, so taking memory from guests this way moves more
of it than the host gains. The pool has an end; what does not fit goes to the disk, if there is one.
"""

from typing import Final, NamedTuple

COMPRESSED_RATIO: Final = 0.5
"""What is left of a page's size. Published: a third to a half (far memory, ASPLOS 2019), of which
the cautious end; the lab's half compressible pages come to the same."""


class Placed(NamedTuple):
    """Where the guests' memory that has no RAM of its own lies, in bytes of guest memory."""

    compressed: float
    on_disk: float
    pool: float  # RAM that the compressed ones take


def place(over_bytes: float, most_bytes: float, ratio: float, pool_bytes_max: float) -> Placed:
    """Free ``over_bytes`` of RAM: by compression first, then by writing to disk.

    Args:
        over_bytes: what is needed beyond RAM.
        most_bytes: what the guests hold: no more of it can be moved.
        ratio: compressed size over size; nothing is gained from 1 upwards.
        pool_bytes_max: RAM that compressed pages may take; 0: none are kept.
    """
    over = max(0.0, over_bytes)
    if over <= 0.0 or pool_bytes_max <= 0.0 or ratio >= 1.0:
        return Placed(0.0, min(over, most_bytes), 0.0)
    compressed = min(over / (1.0 - ratio), most_bytes)
    if ratio > 0.0:
        compressed = min(compressed, pool_bytes_max / ratio)
    pool = compressed * ratio
    left = over - (compressed - pool)
    return Placed(compressed, min(max(0.0, left), most_bytes - compressed), pool)
