"""What the host holds of a guest's own memory: what is measured of its VM, less the overhead."""

from aerostat.engine.columns import Memory
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB

OVERHEAD_BYTES = 64 * MIB
"""A QEMU process holds so much beside its guest's memory, at least: 67-120 MiB were seen."""


def in_use_bytes(memory: Memory, i: int) -> int:
    """What was not free in it at its last clean sample; ``ABSENT`` where there is none."""
    if memory.used_bytes[i] == ABSENT:
        return ABSENT
    return max(0, memory.used_bytes[i] + memory.clean_available_bytes[i] - memory.free_bytes[i])


def resident_bytes(measured: int, actual: int, in_use: int) -> int:
    """What the host holds of a guest's own memory; the hypervisor's overhead is not the guest's.

    How much that is cannot be read. It is at least what is measured beyond what the guest has, and
    at most what is measured beyond what the guest uses; within that, ``OVERHEAD_BYTES``.
    """
    overhead = OVERHEAD_BYTES
    if in_use != ABSENT:
        overhead = min(overhead, max(0, measured - in_use))
    return max(0, min(measured - overhead, actual))
