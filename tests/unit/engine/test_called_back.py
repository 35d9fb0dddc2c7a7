"""A gift that has not arrived is called back as soon as the host is short: nobody loses by it."""

from dataclasses import replace

from aerostat.model.events import Outcome, TargetAnswered
from aerostat.model.guest import GuestId
from aerostat.model.orders import GuestOrder, Standing
from aerostat.model.reasons import Reason
from aerostat.units import GIB, MIB
from builders import Guest, World, host_memory, params


def a_gift_under_way() -> World:
    """A guest that uses 1 GiB of 5, and was given 12; its balloon has only begun to move."""
    world = World(
        guests=[Guest(name="a", max_mib=16 * 1024, actual_mib=5120, used_mib=1024)],
        params=params(budget_mib=None),
        memory=host_memory(total_gib=16, available_gib=9),
        obeys=False,
    )
    world.rounds(20)
    world.events = [
        TargetAnswered(guest=GuestId("a"), target_bytes=12 * GIB, outcome=Outcome.ACCEPTED)
    ]
    world.guest("a").actual_mib = 5376
    world.memory = host_memory(total_gib=16, available_gib=0.5)
    return world


def test_it_is_called_back_as_soon_as_the_host_is_short() -> None:
    world = a_gift_under_way()
    world.round(elapse_s=0.25)
    trace = world.trace("a")
    assert trace.target_bytes == 5376 * MIB, trace
    assert trace.reason is Reason.CALLED_BACK


def test_again_and_again_as_far_as_it_has_come_meanwhile() -> None:
    """Its samples are blurred while it moves; what has not left the host needs none."""
    world = a_gift_under_way()
    world.round(elapse_s=0.25)
    world.events = []
    world.guest("a").actual_mib = 5632  # the answer was lost, and the balloon went on
    world.round(elapse_s=0.25)
    assert world.trace("a").target_bytes == 5632 * MIB


def test_calling_back_is_no_take() -> None:
    world = a_gift_under_way()
    before = world.state.memory
    world.round(elapse_s=0.25)
    assert world.state.memory.turns == before.turns
    assert world.state.memory.take_clean_s == before.take_clean_s
    world.round(elapse_s=0.25)
    assert world.state.memory.target_bytes[0] == 5376 * MIB
    assert world.state.memory.take_s == before.take_s


def test_what_was_given_for_distress_is_not_called_back() -> None:
    world = a_gift_under_way()
    world.state.memory.distress_s[0] = world.now_s
    world.state.memory.healthy_samples[0] = 0
    world.round(elapse_s=0.25)
    assert world.trace("a").target_bytes == 12 * GIB
    assert world.trace("a").reason is Reason.HOLD_UNDER_PRESSURE


def test_what_the_operator_gave_is_not_called_back() -> None:
    world = a_gift_under_way()
    order = GuestOrder(guest=GuestId("a"), standing=Standing.HELD)
    world.params = replace(world.params, orders={order.guest: order})
    world.round(elapse_s=0.25)
    assert world.trace("a").target_bytes == 12 * GIB
