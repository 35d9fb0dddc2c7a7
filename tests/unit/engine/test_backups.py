"""While a guest's disks are copied nothing is taken from it; it is given to like any other."""

from aerostat.model.reasons import Reason
from aerostat.units import MIB
from builders import Guest, World, params


def three(budget_mib: int = 900) -> World:
    world = World(
        guests=[Guest(name=name, actual_mib=300, used_mib=150) for name in "abc"],
        params=params(budget_mib=budget_mib),
    )
    world.guest("a").is_backing_up = True
    world.rounds(4)
    return world


def test_others_give_instead_of_it() -> None:
    world = three(budget_mib=800)
    world.rounds(30)
    held = {guest.name: guest.actual_mib or 0 for guest in world.guests}
    assert held["a"] == 300
    assert held["b"] + held["c"] <= 510


def test_where_only_it_could_give_it_says_why_it_does_not() -> None:
    world = three(budget_mib=700)
    for name in "bc":
        world.guest(name).used_mib = 290
    world.rounds(30)
    assert world.guest("a").actual_mib == 300


def test_it_may_grow() -> None:
    world = three()
    world.guest("a").used_mib = 280
    world.rounds(20)
    assert (world.guest("a").actual_mib or 0) > 310


def test_in_distress_it_is_released() -> None:
    world = three(budget_mib=2000)
    world.guest("a").actual_mib, world.guest("a").used_mib = 300, 298
    world.guest("a").swap_out_mib = 50
    world.round()
    assert world.trace("a").reason is Reason.RELEASED_FOR_DISTRESS
    assert world.trace("a").target_bytes == 512 * MIB


def test_when_it_is_over_it_gives_like_the_others() -> None:
    world = three(budget_mib=700)
    world.rounds(20)
    world.guest("a").is_backing_up = False
    world.params = params(budget_mib=600)
    world.rounds(30)
    assert (world.guest("a").actual_mib or 0) < 300
