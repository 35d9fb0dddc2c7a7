"""What is learned of guests from their rises, and how the pace of figures bounds a take."""

from dataclasses import replace

import pytest

from aerostat.engine.params import EngineParams, GuardParams
from aerostat.units import GIB, MIB
from builders import Guest, World, params


def big_pair(*, figures_age_max_s: float) -> World:
    """One holds 20 GiB that lie free in it, the other is about to need them."""
    base = params(budget_mib=32 * 1024)
    return World(
        guests=[
            Guest(name="rich", max_mib=32 * 1024, actual_mib=24 * 1024, used_mib=2 * 1024),
            Guest(name="poor", max_mib=32 * 1024, actual_mib=8 * 1024, used_mib=2 * 1024),
        ],
        params=replace(base, guard=replace(base.guard, figures_age_max_s=figures_age_max_s)),
    )


@pytest.mark.parametrize(("period_s", "steps"), [(1.0, 1), (5.0, 5), (1.7, 1)])
def test_a_take_is_as_large_as_the_figures_are_rare(period_s: float, steps: int) -> None:
    world = big_pair(figures_age_max_s=20.0)
    world.rounds(12, elapse_s=period_s)
    takes = []
    for _ in range(30):
        world.guest("poor").used_mib = world.guest("poor").actual_mib or 0
        before = world.guest("rich").actual_mib or 0
        world.round(elapse_s=period_s)
        takes.append(before - (world.guest("rich").actual_mib or 0))
    assert max(takes) == steps * GuardParams().step_rate_max // MIB


def test_one_long_silence_is_no_period() -> None:
    world = big_pair(figures_age_max_s=20.0)
    world.rounds(12, elapse_s=1.0)
    world.guest("rich").frozen_wall_s = 0.0
    world.rounds(4, elapse_s=4.0)
    world.guest("rich").frozen_wall_s = None
    before = world.guest("rich").actual_mib or 0
    world.guest("poor").used_mib = 8 * 1024
    world.round()
    taken = before - (world.guest("rich").actual_mib or 0)
    assert 0 < taken <= 2 * GuardParams().step_rate_max // MIB


def test_the_surplus_lies_with_the_guest_that_bursts() -> None:
    world = World(
        guests=[Guest(name=n, max_mib=8192, actual_mib=3072, used_mib=1024) for n in "ab"],
        params=params(budget_mib=8192),
    )
    world.rounds(12)
    for _ in range(3):  # up by two GiB at once and down again, again and again
        world.guest("a").used_mib = 3000
        world.rounds(5)
        world.guest("a").used_mib = 1024
        world.rounds(60)
    held = {guest.name: guest.actual_mib or 0 for guest in world.guests}
    assert held["a"] > 1.2 * held["b"]


def test_a_rise_is_the_same_whatever_the_pace_of_samples() -> None:
    def learned(period_s: float, params_: EngineParams) -> float:
        world = World(
            guests=[Guest(name="a", max_mib=8192, actual_mib=8192, used_mib=1024)], params=params_
        )
        world.rounds(12, elapse_s=period_s)
        world.guest("a").used_mib = 5120
        world.rounds(int(100 / period_s), elapse_s=period_s)
        return world.state.memory.rise_bytes[0]

    base = params(budget_mib=8192)
    rises = [learned(period_s, base) for period_s in (0.5, 2.0, 5.0)]
    assert all(rise == pytest.approx(4 * GIB, rel=0.01) for rise in rises)
    assert rises[0] < 4 * GIB, "it is forgotten, slowly"
