"""Which targets make sense at all: QEMU itself takes 4096 bytes and drains the guest."""

from aerostat.units import MIB, format_size

TARGET_FLOOR_BYTES = 64 * MIB
"""No Linux guest lives in less."""

PAGE_TABLE_RATIO = 1 / 64
"""A Linux guest keeps 64 bytes for each 4096-byte page of its max, ballooned or not."""


def target_floor_bytes(max_bytes: int) -> int:
    """The least target for a guest of this max; a small guest may only hold all of it."""
    return min(max_bytes, TARGET_FLOOR_BYTES + int(max_bytes * PAGE_TABLE_RATIO))


def objection_to_target(target_bytes: int, *, max_bytes: int) -> str | None:
    """Why this target must not be sent, in words; None if it may be."""
    floor_bytes = target_floor_bytes(max_bytes)
    if target_bytes < floor_bytes:
        return (
            f"a target of {format_size(target_bytes)} is below {format_size(floor_bytes)}, "
            f"the least that a guest of {format_size(max_bytes)} can live in"
        )
    if target_bytes > max_bytes:
        return (
            f"a target of {format_size(target_bytes)} is above the guest's max, "
            f"{format_size(max_bytes)}"
        )
    return None
