"""All guests of a host together give no more than so much a second, the least of each in full."""

from dataclasses import replace

from aerostat.engine.params import GuardRule
from aerostat.units import GIB, MIB
from builders import Guest, World, host_memory, params

GUESTS = 120


def idle_guests(count: int = GUESTS, *, paces: bool = True, first_used_mib: int = 300) -> World:
    """So many guests of 4 GiB that use little, on a host that has run out."""
    world = World(
        guests=[
            Guest(name=f"g{n:03}", max_mib=4096, actual_mib=4096, used_mib=300)
            for n in range(count)
        ],
        params=params(budget_mib=None),
        memory=host_memory(total_gib=1024, available_gib=200),
    )
    world.guests[0].used_mib = first_used_mib
    if not paces:
        world.params = replace(world.params, rules_off=frozenset({GuardRule.PACE}))
    world.rounds(20)
    world.memory = host_memory(total_gib=1024, available_gib=2)
    return world


def held_bytes(world: World) -> int:
    return sum((guest.actual_mib or 0) * MIB for guest in world.guests)


def test_hundreds_of_guests_are_not_all_taken_from_at_once() -> None:
    world = idle_guests()
    before = held_bytes(world)
    world.round()
    assert GIB < before - held_bytes(world) <= 2 * GIB
    for _ in range(3):  # rounds are faster than figures: the second's budget is spent
        world.round(elapse_s=0.2)
    assert before - held_bytes(world) <= 2 * GIB


def test_without_the_rule_they_are() -> None:
    world = idle_guests(paces=False)
    before = held_bytes(world)
    world.round()
    assert before - held_bytes(world) > 20 * GIB


def test_it_goes_on_second_after_second() -> None:
    world = idle_guests()
    before = held_bytes(world)
    world.rounds(20)
    assert before - held_bytes(world) > 15 * GIB


def test_few_guests_are_bound_by_their_own_steps_alone() -> None:
    ours, unpaced = idle_guests(4), idle_guests(4, paces=False)
    assert ours.round().plan == unpaced.round().plan


def test_whoever_is_asked_for_little_is_asked_for_all_of_it() -> None:
    ours = idle_guests(9, first_used_mib=3850)
    unpaced = idle_guests(9, first_used_mib=3850, paces=False)
    ours.round(), unpaced.round()
    little = 4096 - (unpaced.guest("g000").actual_mib or 0)
    assert 0 < little < 230
    assert ours.guest("g000").actual_mib == unpaced.guest("g000").actual_mib
    assert (ours.guest("g001").actual_mib or 0) > (unpaced.guest("g001").actual_mib or 0)


def test_more_guests_than_mib_still_give() -> None:
    world = idle_guests(100)
    guard = replace(world.params.guard, host_step_rate_max=64 * MIB)
    world.params = replace(world.params, guard=guard)
    before = held_bytes(world)
    world.round()
    assert before - held_bytes(world) == 100 * MIB
