"""A take is founded on what a guest used a moment ago, never on what it used before it moved."""

from aerostat.model.events import Outcome, TargetAnswered
from aerostat.model.guest import GuestId
from aerostat.model.reasons import Reason
from aerostat.units import GIB, MIB
from builders import Guest, World, host_memory, params


def a_guest_that_moves(*, for_s: int) -> World:
    """It used little; then its balloon deflates slowly for so long; meanwhile its use grows."""
    began_mib = 4096 - 10 * for_s
    world = World(
        guests=[Guest(name="a", max_mib=4096, actual_mib=began_mib, used_mib=1100)],
        params=params(budget_mib=None),
        memory=host_memory(total_gib=16, available_gib=2),
        obeys=False,
    )
    world.rounds(20)
    guest = world.guest("a")
    guest.used_mib = 3500
    world.events = [
        TargetAnswered(guest=GuestId("a"), target_bytes=4 * GIB, outcome=Outcome.ACCEPTED)
    ]
    for gone_s in range(1, for_s):
        guest.actual_mib = began_mib + 10 * gone_s
        world.round()
    world.memory = host_memory(total_gib=16, available_gib=0.5)
    guest.actual_mib = 4096
    world.round()
    return world


def test_what_it_used_half_a_minute_ago_takes_nothing() -> None:
    world = a_guest_that_moves(for_s=30)
    trace = world.trace("a")
    assert trace.figures_age_s == 0.0
    assert trace.reason is Reason.HOLD_BLURRED
    assert not world.round(elapse_s=0.25).plan.changes


def test_it_is_taken_from_again_once_it_has_reported_at_rest() -> None:
    world = a_guest_that_moves(for_s=30)
    world.guest("a").used_mib = 1100
    world.round()
    assert world.trace("a").reason is Reason.TAKEN_FOR_HOST


def test_a_short_move_stops_no_taking() -> None:
    world = a_guest_that_moves(for_s=3)
    assert world.trace("a").reason is Reason.TAKEN_FOR_HOST


def test_take_after_take_goes_on_while_the_host_is_short() -> None:
    world = World(
        guests=[Guest(name="a", max_mib=16384, actual_mib=16384, used_mib=1100)],
        params=params(budget_mib=None),
        memory=host_memory(total_gib=64, available_gib=0.5),
    )
    held = []
    for _ in range(60):
        world.round(elapse_s=0.5)
        held.append((world.guest("a").actual_mib or 0) * MIB)
        assert world.trace("a").reason is not Reason.HOLD_BLURRED
    assert held[-1] < 10 * GIB
