"""What the operator orders of one guest at run time: hold, release, and limits over the rules."""

from dataclasses import replace

from aerostat.engine.explain import explain
from aerostat.engine.prospects import prospects
from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.model.orders import GuestOrder, Standing
from aerostat.model.reasons import Bound, Reason
from aerostat.units import MIB
from builders import Guest, World, params


def three(budget_mib: int = 900, **order: object) -> World:
    """Three guests alike; what is ordered is ordered of ``a``."""
    base = params(budget_mib=budget_mib)
    if order:
        ordered = GuestOrder(guest=GuestId("a"), **order)  # type: ignore[arg-type] # real fields
        base = replace(base, orders={ordered.guest: ordered})
    return World(
        guests=[Guest(name=name, actual_mib=300, used_mib=150) for name in "abc"], params=base
    )


def test_a_held_guest_keeps_what_it_has_and_others_give() -> None:
    world = three(budget_mib=800, standing=Standing.HELD)
    world.rounds(30)
    held = {guest.name: guest.actual_mib or 0 for guest in world.guests}
    assert held["a"] == 300
    assert held["b"] + held["c"] <= 510


def test_without_the_order_it_would_have_given() -> None:
    world = three(budget_mib=800)
    world.rounds(30)
    assert (world.guest("a").actual_mib or 0) < 290


def test_where_it_would_be_taken_from_it_says_who_held_it() -> None:
    world = three(budget_mib=500, standing=Standing.HELD)
    world.guest("a").max_mib = 300
    world.rounds(30)
    assert (world.guest("a").actual_mib or 0) == 300
    trace = replace(world.trace("a"), reason=Reason.HOLD_BY_OPERATOR, bound=Bound.OPERATOR)
    assert "the operator said so" in explain(trace)
    assert "aerostat unhold" in prospects(trace, world.params).sentences[0]


def test_a_max_set_below_it_takes_nothing_while_it_is_held() -> None:
    world = three(budget_mib=2000, standing=Standing.HELD, maximum=Amount(size_bytes=200 * MIB))
    world.rounds(20)
    assert world.guest("a").actual_mib == 300
    assert world.trace("a").reason is Reason.HOLD_BY_OPERATOR
    assert world.trace("a").bound is Bound.OPERATOR


def test_a_held_guest_in_distress_is_released_all_the_same() -> None:
    world = three(budget_mib=2000, standing=Standing.HELD)
    world.round()
    world.guest("a").used_mib, world.guest("a").swap_out_mib = 298, 50
    world.round()
    assert world.trace("a").reason is Reason.RELEASED_FOR_DISTRESS
    assert world.trace("a").target_bytes == 512 * MIB


def test_a_released_guest_gets_its_max_at_once_and_keeps_it() -> None:
    world = three(budget_mib=2000, standing=Standing.RELEASED)
    step = world.round()
    change = next(change for change in step.plan.changes if change.guest == "a")
    assert change.target_bytes == 512 * MIB
    assert change.is_urgent
    assert world.trace("a").reason is Reason.RELEASED_BY_OPERATOR
    world.rounds(60)
    assert world.guest("a").actual_mib == 512


def test_others_give_for_a_released_guest_where_nothing_is_free() -> None:
    world = three(budget_mib=900, standing=Standing.RELEASED)
    world.rounds(60)
    held = {guest.name: guest.actual_mib or 0 for guest in world.guests}
    assert held["a"] > 450
    assert sum(held.values()) <= 900


def test_a_released_guest_takes_nothing_from_one_in_distress() -> None:
    world = three(budget_mib=900, standing=Standing.RELEASED)
    for name in "bc":
        world.guest(name).used_mib = 299
    for _ in range(20):
        for name in "bc":
            world.guest(name).swap_out_mib += 20
        world.round()
        assert all((world.guest(name).actual_mib or 0) >= 300 for name in "bc")


def test_an_order_taken_back_is_forgotten() -> None:
    world = three(budget_mib=2000, standing=Standing.RELEASED)
    world.rounds(5)
    world.params = params(budget_mib=800)
    world.rounds(60)
    assert (world.guest("a").actual_mib or 0) < 400


def test_limits_ordered_stand_over_the_rules_and_the_rest_of_the_rule_holds() -> None:
    world = three(budget_mib=2000, minimum=Amount(size_bytes=400 * MIB), weight=300)
    rule = LimitRule(
        name_glob="a", limits=GuestLimits(weight=7, maximum=Amount(size_bytes=450 * MIB))
    )
    world.params = replace(world.params, rules=(rule,))
    world.rounds(5)
    trace = world.trace("a")
    assert trace.min_bytes == 400 * MIB
    assert trace.max_bytes == 450 * MIB
    assert world.trace("b").min_bytes == 128 * MIB


def test_an_unmanaged_guest_is_not_moved_by_an_order() -> None:
    world = three(budget_mib=2000, standing=Standing.RELEASED)
    world.params = replace(world.params, default_limits=GuestLimits(is_managed=False))
    world.rounds(5)
    assert world.guest("a").actual_mib == 300
    assert world.trace("a").reason is Reason.HOLD_NOT_MANAGED
