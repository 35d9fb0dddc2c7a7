"""The self-check: orders without effect, or none while the host is short, are told; once."""

from dataclasses import replace

import pytest

from aerostat.engine.effect import Circumstances, SelfCheck, followed
from aerostat.engine.explain import explain_effect
from aerostat.engine.params import HostParams
from aerostat.model.effect import Effect
from aerostat.model.host import HostSnapshot
from aerostat.model.limits import Amount
from aerostat.model.plan import HostTrace
from aerostat.units import MIB
from builders import Guest, World, params


def squeezed(*names: str, obeys: bool = False, budget_mib: int = 700) -> World:
    """Calm guests of 512 MiB on too small a budget; by default no balloon moves."""
    guests = [Guest(name=name, used_mib=100) for name in names]
    return World(guests=guests, params=params(budget_mib=budget_mib), obeys=obeys)


def effects(world: World, seconds: int) -> list[Effect]:
    return [world.round().trace.host.effect for _ in range(seconds)]


def test_orders_that_move_nothing_anywhere_are_told_and_taken_back() -> None:
    world = squeezed("a", "b")
    found = effects(world, 90)
    first = found.index(Effect.ORDERS_MOVE_NOTHING)
    assert 30 <= first <= 60
    assert set(found[first:]) == {Effect.ORDERS_MOVE_NOTHING}
    world.guest("a").actual_mib = 510  # it begins to move: two MiB are enough
    assert effects(world, 1) == [Effect.WORKING]


def test_balloons_that_move_are_no_news() -> None:
    assert set(effects(squeezed("a", "b", obeys=True), 90)) == {Effect.WORKING}


def test_one_of_many_that_does_not_move_is_a_stall_and_not_this() -> None:
    world = squeezed("a", "b", "c", obeys=True, budget_mib=1000)
    world.rounds(30)
    world.obeys = False
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=950 * MIB))
    for name in "bc":
        world.guest(name).used_mib = 400  # these have nothing to give
        world.guest(name).swap_out_mib = 0
    found = effects(world, 20)
    assert Effect.ORDERS_MOVE_NOTHING not in found


def test_the_only_guest_there_is_counts_alone() -> None:
    world = squeezed("a", budget_mib=300)
    assert Effect.ORDERS_MOVE_NOTHING in effects(world, 90)


def test_what_the_host_itself_got_back_is_an_effect() -> None:
    """Some hypervisors tell `actual` late, or never."""
    world = squeezed("a", budget_mib=300)
    world.guest("a").held_mib = 512
    world.rounds(10)
    assert world.trace("a").target_bytes is not None
    world.guest("a").held_mib = 200
    assert Effect.ORDERS_MOVE_NOTHING not in effects(world, 20)


def test_observing_orders_nothing_and_is_no_failure() -> None:
    world = squeezed("a", "b")
    for _ in range(120):
        world.round()
        world.events = []  # nothing was sent, nothing is answered
        assert world.last is not None
        assert world.last.trace.host.effect is Effect.WORKING


def over_budget_with_nothing_to_give() -> World:
    world = World(
        guests=[Guest(name=name, used_mib=500, actual_mib=505) for name in "ab"],
        params=params(budget_mib=800),
    )
    world.params = replace(
        world.params,
        host=HostParams(budget_bytes=800 * MIB, burst_reserve=Amount(size_bytes=0)),
    )
    return world


def test_a_host_that_is_short_without_one_order_is_told_after_a_minute() -> None:
    world = over_budget_with_nothing_to_give()
    found = effects(world, 120)
    assert Effect.ORDERS_MOVE_NOTHING not in found
    first = found.index(Effect.NOTHING_IS_ORDERED)
    assert first >= 60
    assert world.last is not None
    assert "no target has been sent" in explain_effect(world.last.trace.host)
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=None))
    assert effects(world, 1) == [Effect.WORKING]


def test_without_any_figures_there_is_nothing_to_order_on() -> None:
    """Each guest says so by itself: hold_figures_absent."""
    world = over_budget_with_nothing_to_give()
    for guest in world.guests:
        guest.has_statistics = False
    assert set(effects(world, 120)) == {Effect.WORKING}


def told_after_s(check: SelfCheck, *, from_s: float) -> tuple[SelfCheck, float]:
    """How long a host has to be short and idle until that is told."""
    short = Circumstances(
        actual_before={}, movable=2, has_figures=True, is_short=True, is_busy=False
    )
    for second in range(10_000):
        snapshot = HostSnapshot(now_s=from_s + second, wall_s=0.0, memory=None, guests=())
        check = followed(check, snapshot, (), short)
        if check.effect is Effect.NOTHING_IS_ORDERED:
            return check, float(second)
    raise AssertionError("never told")


def test_short_for_good_is_not_told_every_minute() -> None:
    """An order now and then ends it; the next time takes twice as long, until enough is there."""
    idle = HostSnapshot(now_s=5e4, wall_s=0.0, memory=None, guests=())
    order = Circumstances(
        actual_before={}, movable=2, has_figures=True, is_short=True, is_busy=True
    )
    check, waits = SelfCheck(), []
    for number in range(3):
        check, waited_s = told_after_s(check, from_s=1e4 * number)
        waits.append(waited_s)
        check = followed(check, idle, (), order)
        assert check.effect is Effect.WORKING
    assert waits == [60.0, 120.0, 240.0]
    check = followed(check, idle, (), replace(order, is_short=False, is_busy=False))
    assert told_after_s(check, from_s=1e5)[1] == 60.0


@pytest.mark.parametrize("effect", Effect)
def test_every_finding_has_words(effect: Effect) -> None:
    host = HostTrace(supply_bytes=None, committed_bytes=0, demand_bytes=0, effect=effect)
    assert explain_effect(host)
