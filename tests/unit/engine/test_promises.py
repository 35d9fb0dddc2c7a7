"""What is promised to a VM stays promised until it has it: being there is not yet using it."""

from dataclasses import replace

import pytest

from aerostat.engine.params import Accounting
from aerostat.model.events import MemoryReserved
from aerostat.model.guest import GuestId
from aerostat.units import GIB, MIB
from builders import Guest, World, host_memory, params

STARTED_MIB = 16 * 1024


def room_bytes(world: World) -> int:
    assert world.last is not None
    host = world.last.trace.host
    return (host.supply_bytes or 0) - host.committed_bytes - host.reserved_bytes


def a_host(accounting: Accounting) -> World:
    """A GiB in use, 48 available of 64, and two VMs of 16 GiB promised."""
    world = World(
        guests=[Guest(name="old", max_mib=1024, actual_mib=1024, held_mib=1024)],
        params=params(budget_mib=None),
        memory=host_memory(),
    )
    world.params = replace(world.params, host=replace(world.params.host, accounting=accounting))
    world.rounds(3)
    for name in ("new-a", "new-b"):
        world.events.append(MemoryReserved(guest=GuestId(name), size_bytes=16 * GIB, for_s=60.0))
    world.round()
    return world


@pytest.mark.parametrize("accounting", Accounting)
def test_room_is_the_same_before_and_after_they_appear(accounting: Accounting) -> None:
    world = a_host(accounting)
    before = room_bytes(world)
    for name in ("new-a", "new-b"):
        world.guests.append(
            Guest(name=name, max_mib=STARTED_MIB, actual_mib=STARTED_MIB, held_mib=100)
        )
    world.rounds(3)
    assert abs(room_bytes(world) - before) < GIB


def test_what_it_has_faulted_in_is_promised_no_more() -> None:
    world = a_host(Accounting.ELASTIC)
    before = room_bytes(world)
    new = Guest(name="new-a", max_mib=STARTED_MIB, actual_mib=STARTED_MIB, held_mib=100)
    world.guests.append(new)
    world.rounds(3)
    new.held_mib, new.used_mib = 8 * 1024, 8 * 1024
    world.memory = host_memory(available_gib=40)
    world.round()
    assert abs(room_bytes(world) - before) < GIB


def test_a_promise_to_one_that_came_ends_with_its_time() -> None:
    world = a_host(Accounting.ELASTIC)
    before = room_bytes(world)
    world.guests.append(
        Guest(name="new-a", max_mib=STARTED_MIB, actual_mib=STARTED_MIB, held_mib=100)
    )
    world.rounds(61)
    assert room_bytes(world) > before + 30 * GIB  # nobody came for the other, either


def test_a_promise_to_one_that_came_ends_when_it_goes() -> None:
    world = a_host(Accounting.ELASTIC)
    before = room_bytes(world)
    new = Guest(name="new-a", max_mib=STARTED_MIB, actual_mib=STARTED_MIB, held_mib=100)
    world.guests.append(new)
    world.rounds(3)
    world.guests.remove(new)
    world.rounds(2)
    assert abs(room_bytes(world) - before - 16 * GIB) < GIB


def held_by_new_mib(*, seconds: int) -> int:
    """What a VM that was let in holds after so long, beside one that wants ever more."""
    world = World(
        guests=[Guest(name="hungry", max_mib=2048, actual_mib=600, used_mib=500)],
        params=params(budget_mib=2200),
        memory=host_memory(),
    )
    world.rounds(3)
    world.events.append(MemoryReserved(guest=GuestId("new"), size_bytes=1536 * MIB, for_s=60.0))
    world.round()
    world.guests.append(Guest(name="new", max_mib=1536, actual_mib=1536, used_mib=100))
    hungry = world.guest("hungry")
    for _ in range(seconds):
        hungry.used_mib = min(1400, max(0, (hungry.actual_mib or 0) - 40))
        world.round()
    return world.guest("new").actual_mib or 0


def test_what_it_has_not_used_yet_is_not_taken_for_others_before_its_time_is_over() -> None:
    assert held_by_new_mib(seconds=50) == 1536
    assert held_by_new_mib(seconds=120) < 1300


def test_it_is_known_by_its_name_too() -> None:
    """Whoever asks for it knows a name; a driver may know it by something else."""
    world = a_host(Accounting.ELASTIC)
    before = room_bytes(world)
    world.events.append(MemoryReserved(guest=GuestId("the-vm"), size_bytes=4 * GIB, for_s=60.0))
    world.round()
    new = Guest(name="the-vm", id="uuid-1", max_mib=4096, actual_mib=4096, held_mib=100)
    world.guests.append(new)
    world.rounds(2)
    assert abs(room_bytes(world) - before + 4 * GIB) < GIB // 2
