"""The largest guests are taken from like all others: in steps, not never."""

import pytest

from aerostat.model.reasons import Reason
from aerostat.units import GIB
from builders import Guest, World, host_memory, params


def short_host_of(max_gib: int) -> World:
    """One guest that uses an eighth of what it has, on a host that has run out."""
    world = World(
        guests=[
            Guest(
                name="big",
                max_mib=max_gib * 1024,
                actual_mib=max_gib * 1024,
                used_mib=max_gib * 128,
            )
        ],
        params=params(budget_mib=None),
        memory=host_memory(total_gib=max_gib * 1.2, available_gib=max_gib * 0.18),
    )
    world.rounds(20)
    world.memory = host_memory(total_gib=max_gib * 1.2, available_gib=max_gib * 0.02)
    return world


@pytest.mark.parametrize("max_gib", [64, 256, 1024])
def test_a_short_host_takes_from_a_guest_of_any_size(max_gib: int) -> None:
    world = short_host_of(max_gib)
    world.round()
    assert world.trace("big").reason is Reason.TAKEN_FOR_HOST
    world.rounds(12)
    assert (world.guest("big").actual_mib or 0) < max_gib * 1024 - 1024


def test_a_take_still_has_a_least_size() -> None:
    """However large the guest: less than a quarter of a second's step is not worth a command."""
    world = short_host_of(256)
    world.rounds(12)
    held = world.guest("big").actual_mib or 0
    world.guest("big").used_mib = held  # nothing lies free in it any more
    before = world.state.memory.target_bytes[0]
    world.rounds(3)
    target = world.state.memory.target_bytes[0]
    assert target >= before or before - target >= GIB // 16
