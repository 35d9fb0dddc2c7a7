"""A host that runs short asks first those of whom it is sure to get something."""

from dataclasses import replace

import pytest

from aerostat.engine.params import Accounting, EngineParams, HostParams
from aerostat.model.host_state import LadderStep
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.units import MIB
from builders import Guest, World, host_memory, params

RESERVE_MIB = 1024
TOTAL_GIB = 8.0


def told() -> EngineParams:
    host = HostParams(
        accounting=Accounting.ELASTIC,
        reserve=Amount(size_bytes=RESERVE_MIB * MIB),
        burst_reserve=Amount(size_bytes=0),
    )
    return replace(params(budget_mib=None), host=host)


def guest(name: str, *, held_mib: float | None, used_mib: int = 300) -> Guest:
    return Guest(name=name, max_mib=1024, actual_mib=1024, used_mib=used_mib, held_mib=held_mib)


def known(*guests: Guest) -> World:
    """A host with room, whose guests have been known for a while."""
    world = World(guests=list(guests), params=told())
    world.memory = host_memory(total_gib=TOTAL_GIB, available_gib=4.0)
    world.rounds(20)
    return world


def taken_mib(world: World, *, available_mib: int) -> dict[str, int]:
    """What the first round takes in which the host is so short."""
    before = {one.name: one.actual_mib or 0 for one in world.guests}
    world.memory = host_memory(total_gib=TOTAL_GIB, available_gib=available_mib / 1024)
    world.round()
    return {one.name: before[one.name] - (one.actual_mib or 0) for one in world.guests}


def test_who_may_never_have_touched_what_it_could_give_is_asked_after_the_others() -> None:
    world = known(guest("new", held_mib=200), guest("old", held_mib=1090))
    taken = taken_mib(world, available_mib=RESERVE_MIB // 2 - 64)
    assert taken["new"] == 0 < taken["old"]


def test_where_the_others_have_not_enough_everybody_gives() -> None:
    world = known(guest("new", held_mib=200), guest("old", held_mib=1090, used_mib=900))
    taken = taken_mib(world, available_mib=RESERVE_MIB // 2 - 64)
    assert taken["new"] > 0


@pytest.mark.parametrize("held_mib", [None, 1090.0])
def test_where_nothing_is_known_of_it_nobody_is_spared(held_mib: float | None) -> None:
    world = known(guest("one", held_mib=held_mib), guest("other", held_mib=1090))
    taken = taken_mib(world, available_mib=RESERVE_MIB // 2 - 64)
    assert taken["one"] == taken["other"] > 0


def test_a_host_that_only_fills_its_reserve_up_asks_by_what_lies_free() -> None:
    world = known(guest("new", held_mib=200), guest("old", held_mib=1090))
    taken = taken_mib(world, available_mib=RESERVE_MIB - 200)
    assert taken["new"] > 0


def test_nobody_is_spared_for_a_guest_that_would_not_be_taken_from() -> None:
    left_alone = GuestLimits(exempt=frozenset({LadderStep.TAKE_FREE}))
    world = known(guest("new", held_mib=200), guest("old", held_mib=1090))
    world.params = replace(told(), rules=(LimitRule(name_glob="old", limits=left_alone),))
    taken = taken_mib(world, available_mib=RESERVE_MIB // 2 - 64)
    assert taken["old"] == 0 < taken["new"]


def test_nobody_is_spared_where_a_guest_waits_for_the_memory() -> None:
    waiting = Guest(name="waiting", max_mib=1024, actual_mib=1000, used_mib=300, held_mib=1064)
    world = known(guest("new", held_mib=200), guest("old", held_mib=1090), waiting)
    waiting.used_mib, waiting.actual_mib = 995, 1000
    waiting.swap_in_mib, waiting.swap_out_mib = 50, 50
    taken = taken_mib(world, available_mib=RESERVE_MIB // 2 - 20)
    assert taken["new"] > 0
