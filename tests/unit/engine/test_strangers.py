"""Somebody else sets a guest's target: it is told once, and the guest is left to them a while."""

from dataclasses import replace

import pytest

from aerostat.engine.params import GuardParams
from aerostat.engine.step import Step
from aerostat.model.events import (
    LifecycleChanged,
    LifecycleKind,
    Outcome,
    TargetAnswered,
    TargetReplaced,
)
from aerostat.model.guest import GuestId
from aerostat.model.orders import GuestOrder, Standing
from aerostat.model.reasons import Reason
from aerostat.units import MIB
from builders import Guest, World, params

YIELD_S = 120.0


def squeezed(**other: object) -> World:
    """A guest of which was taken for another, so that it has a target of ours."""
    guests = [
        Guest(name="idle", actual_mib=400, used_mib=100),
        Guest(name="short", actual_mib=200, used_mib=198),
    ]
    asked = params(budget_mib=602, guard=GuardParams(grace_s=0.0, yield_s=YIELD_S))
    return World(guests=guests, params=replace(asked, **other))  # type: ignore[arg-type] # real fields


def found(world: World, rounds: int) -> list[TargetReplaced]:
    steps: list[Step] = [world.round() for _ in range(rounds)]
    return [event for step in steps for event in step.found if isinstance(event, TargetReplaced)]


def test_moves_of_our_own_are_no_news() -> None:
    world = squeezed()
    assert found(world, 120) == []
    assert (world.guest("idle").actual_mib or 0) < 400


def moved(by_mib: int = -60) -> World:
    world = squeezed()
    assert found(world, 60) == []
    idle = world.guest("idle")
    idle.actual_mib = (idle.actual_mib or 0) + by_mib
    return world


def test_a_balloon_that_is_turned_round_goes_on_for_a_moment_and_nobody_else_is_blamed() -> None:
    """As seen on libvirt: its target was raised to where it stood, and it was told 6 MiB below."""
    world = squeezed()
    assert found(world, 60) == []
    idle = world.guest("idle")
    stood = idle.actual_mib or 0
    turned = TargetAnswered(
        guest=GuestId("idle"), target_bytes=stood * MIB, outcome=Outcome.ACCEPTED
    )
    world.events = [turned]
    told = found(world, 1)
    idle.actual_mib = stood - 6
    told += found(world, 2)
    idle.actual_mib = stood
    assert told + found(world, 60) == []
    assert world.trace("idle").reason is not Reason.HOLD_YIELDED


def test_it_is_told_once_and_the_guest_is_left_alone() -> None:
    world = moved()
    held = world.guest("idle").actual_mib or 0
    (event,) = found(world, 100)
    assert (event.guest, event.held_bytes) == ("idle", (held + 60) * MIB)
    assert (event.actual_bytes, event.for_s) == (held * MIB, YIELD_S)
    assert world.guest("idle").actual_mib == held
    assert world.trace("idle").reason is Reason.HOLD_YIELDED


def test_a_guest_that_never_had_a_target_of_ours_is_left_alone_too() -> None:
    world = World(guests=[Guest(name="vm", actual_mib=512)], params=params(budget_mib=None))
    assert found(world, 10) == []
    world.guest("vm").actual_mib = 400
    assert [event.held_bytes for event in found(world, 30)] == [512 * MIB]
    assert world.guest("vm").actual_mib == 400


def test_what_a_guest_boots_down_to_is_nobody_s_doing() -> None:
    world = World(guests=[Guest(name="vm", actual_mib=512)], params=params(budget_mib=None))
    for size in (512, 450, 400, 350, 300):
        world.guest("vm").actual_mib = size
        assert found(world, 1) == []


def test_who_goes_on_is_left_to_it_without_another_word() -> None:
    world = moved()
    assert len(found(world, 1)) == 1
    idle = world.guest("idle")
    for turn in range(30):
        idle.actual_mib = (idle.actual_mib or 0) + (20 if turn % 2 else -20)
        held = idle.actual_mib
        assert found(world, 10) == []
        assert idle.actual_mib == held


def test_after_the_time_it_is_taken_up_again_from_what_it_holds() -> None:
    world = moved()
    found(world, int(YIELD_S) - 1)
    assert world.trace("idle").reason is Reason.HOLD_YIELDED
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=900 * MIB))
    world.rounds(10)
    assert (world.guest("idle").actual_mib or 0) > 400


def test_distress_releases_it_all_the_same() -> None:
    world = moved()
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=2000 * MIB))
    world.rounds(5)
    idle = world.guest("idle")
    idle.used_mib, idle.swap_out_mib = (idle.actual_mib or 0) - 2, 50
    world.round()
    assert world.trace("idle").reason is Reason.RELEASED_FOR_DISTRESS
    assert world.trace("idle").target_bytes == 512 * MIB


def test_a_reset_releases_it_all_the_same() -> None:
    world = moved()
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=2000 * MIB))
    world.rounds(5)
    world.events.append(LifecycleChanged(guest=GuestId("idle"), kind=LifecycleKind.RESET))
    world.round()
    assert world.trace("idle").reason is Reason.RELEASED_ON_RESET


def test_an_order_of_the_operator_counts_for_more() -> None:
    world = moved()
    world.rounds(5)
    order = GuestOrder(guest=GuestId("idle"), standing=Standing.RELEASED)
    world.params = replace(
        world.params,
        orders={order.guest: order},
        host=replace(world.params.host, budget_bytes=2000 * MIB),
    )
    world.round()
    assert world.trace("idle").reason is Reason.RELEASED_BY_OPERATOR


def test_a_vm_that_came_back_smaller_was_not_moved_by_anybody() -> None:
    """Re-created under the same identity with half its memory."""
    world = squeezed()
    world.rounds(60)
    idle = world.guest("idle")
    idle.max_mib = idle.actual_mib = 256
    assert found(world, 5) == []


def raised(*, deflates_on_oom: bool | None) -> World:
    """One that somebody raises, by its target or because its balloon let go."""
    world = squeezed()
    world.guest("idle").deflates_on_oom = deflates_on_oom
    return world


def test_a_balloon_that_cannot_let_go_by_itself_was_raised_by_somebody_else() -> None:
    world = raised(deflates_on_oom=False)
    assert found(world, 60) == []
    idle = world.guest("idle")
    held = idle.actual_mib = (idle.actual_mib or 0) + 60
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=2000 * MIB))
    (event,) = found(world, 100)
    assert (event.guest, event.actual_bytes) == ("idle", held * MIB)
    assert idle.actual_mib == held, "not even what there is"
    assert world.trace("idle").reason is Reason.HOLD_YIELDED


def test_one_that_was_raised_and_never_had_a_target_of_ours_is_left_alone_too() -> None:
    world = World(
        guests=[Guest(name="vm", actual_mib=400, deflates_on_oom=False)],
        params=params(budget_mib=400),
    )
    assert found(world, 10) == []
    world.guest("vm").actual_mib = 450
    assert [event.actual_bytes for event in found(world, 30)] == [450 * MIB]
    assert world.guest("vm").actual_mib == 450


@pytest.mark.parametrize("deflates_on_oom", [True, None])
def test_a_balloon_that_may_have_let_go_by_itself_is_answered_as_distress(
    deflates_on_oom: bool | None,
) -> None:
    world = raised(deflates_on_oom=deflates_on_oom)
    assert found(world, 60) == []
    idle = world.guest("idle")
    idle.actual_mib = (idle.actual_mib or 0) + 60
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=2000 * MIB))
    assert found(world, 1) == []
    assert world.trace("idle").reason is Reason.RELEASED_FOR_DISTRESS


@pytest.mark.parametrize("deflates_on_oom", [True, None])
def test_where_the_standing_target_is_named_a_raise_is_told_from_a_balloon_that_let_go(
    deflates_on_oom: bool | None,
) -> None:
    """On Cloud Hypervisor and Firecracker: it holds what somebody asked for, and no more."""
    world = raised(deflates_on_oom=deflates_on_oom)
    assert found(world, 60) == []
    idle = world.guest("idle")
    held = idle.actual_mib or 0
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=2000 * MIB))
    idle.standing_target_mib = held + 60
    idle.actual_mib = held + 20  # on its way
    (event,) = found(world, 1)
    assert event.guest == "idle"
    idle.actual_mib = held + 60
    world.rounds(20)
    assert idle.actual_mib == held + 60
    assert world.trace("idle").reason is Reason.HOLD_YIELDED


def test_one_that_holds_more_than_the_standing_target_has_let_go_and_is_in_distress() -> None:
    world = raised(deflates_on_oom=True)
    assert found(world, 60) == []
    idle = world.guest("idle")
    idle.standing_target_mib = idle.actual_mib  # nobody has asked for anything else
    idle.actual_mib = (idle.actual_mib or 0) + 60
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=2000 * MIB))
    assert found(world, 1) == []
    assert world.trace("idle").reason is Reason.RELEASED_FOR_DISTRESS


def test_one_that_was_raised_and_is_short_gets_more_all_the_same() -> None:
    world = raised(deflates_on_oom=False)
    world.rounds(60)
    idle = world.guest("idle")
    idle.actual_mib = (idle.actual_mib or 0) + 60
    world.params = replace(world.params, host=replace(world.params.host, budget_bytes=2000 * MIB))
    world.rounds(3)
    idle.used_mib, idle.swap_out_mib = (idle.actual_mib or 0) - 2, 50
    world.round()
    assert world.trace("idle").reason is Reason.RELEASED_FOR_DISTRESS


def test_others_are_balanced_meanwhile() -> None:
    world = moved()
    before = world.guest("short").actual_mib or 0
    world.guest("short").used_mib += 40
    world.rounds(20)
    assert (world.guest("short").actual_mib or 0) > before
