"""What is promised to a VM stays promised until it has it: being there is not yet using it."""

from dataclasses import replace

import pytest

from aerostat.engine.params import Accounting
from aerostat.model.events import MemoryReserved
from aerostat.model.guest import GuestId
from aerostat.units import GIB
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
