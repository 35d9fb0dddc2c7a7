"""A VM may come where it fits beside what the others hold and are promised; else it is told why."""

from dataclasses import replace

import pytest

from aerostat.engine.admission import admission, room_bytes
from aerostat.engine.state import EngineState
from aerostat.model.admission import Admission, Verdict
from aerostat.model.events import MemoryReserved
from aerostat.model.guest import GuestId
from aerostat.units import GIB
from builders import Guest, World, host_memory, params

ROOM_BYTES = 48 * GIB - 64 * GIB // 10


def promise(name: str, gib: int) -> MemoryReserved:
    return MemoryReserved(guest=GuestId(name), size_bytes=gib * GIB, for_s=60.0)


@pytest.fixture
def world() -> World:
    """48 GiB available of 64, 6.4 of them the host's reserve."""
    made = World(
        guests=[Guest(name="old", max_mib=1024, actual_mib=1024)],
        params=params(budget_mib=None),
        memory=host_memory(),
    )
    made.rounds(3)
    return made


def asked(world: World, name: str, gib: int) -> Admission:
    assert world.last is not None
    size = gib * GIB
    return admission(
        world.state, world.last.trace, world.events, owner=GuestId(name), size_bytes=size
    )


def test_what_fits_is_admitted_and_told_what_is_left(world: World) -> None:
    assert asked(world, "new", 41) == Admission(
        verdict=Verdict.ADMITTED, room_bytes=ROOM_BYTES - 41 * GIB
    )


def test_what_does_not_fit_is_told_how_much_would(world: World) -> None:
    answer = asked(world, "new", 42)
    assert answer.verdict is Verdict.NO_ROOM
    assert answer.room_bytes == ROOM_BYTES


def test_what_no_round_has_heard_of_yet_is_promised_all_the_same(world: World) -> None:
    world.events.append(promise("first", 30))
    assert asked(world, "second", 20).verdict is Verdict.NO_ROOM
    world.round()
    assert asked(world, "second", 20).verdict is Verdict.NO_ROOM
    assert asked(world, "second", 11).verdict is Verdict.ADMITTED


def test_what_was_promised_to_itself_is_its_own(world: World) -> None:
    world.events.append(promise("new", 30))
    assert asked(world, "new", 40).verdict is Verdict.ADMITTED
    world.round()
    assert asked(world, "new", 40).verdict is Verdict.ADMITTED


def test_one_that_is_here_is_told_so(world: World) -> None:
    assert asked(world, "old", 1).verdict is Verdict.ALREADY_HERE


def test_a_host_that_is_short_lets_nobody_in(world: World) -> None:
    world.memory = host_memory(available_gib=2)
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=64 * GIB))
    world.round()
    assert asked(world, "new", 1).verdict is Verdict.STARTS_REFUSED


def test_nobody_knows_before_the_host_has_been_read(world: World) -> None:
    nothing = admission(EngineState(), None, (), owner=GuestId("new"), size_bytes=GIB)
    assert nothing == Admission(verdict=Verdict.HOST_UNKNOWN, room_bytes=None)
    world.memory = None
    assert world.round().trace.host.supply_bytes is None
    assert room_bytes(world.last.trace.host) is None  # type: ignore[union-attr] # it has run
    assert asked(world, "new", 1).verdict is Verdict.HOST_UNKNOWN
