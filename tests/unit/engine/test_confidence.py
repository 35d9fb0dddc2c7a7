"""Confidence: what lowers it, and what it does."""

from dataclasses import replace

import pytest

from aerostat.engine.params import GuardRule
from aerostat.model.limits import Amount
from aerostat.model.reasons import Reason
from aerostat.units import MIB
from builders import Guest, World, params

ROUNDS = 12


def calm_world(**of_a: object) -> World:
    """Two that have what they need, each half of what there is."""
    a = Guest(name="a", max_mib=8192, actual_mib=4000, used_mib=1000)
    b = Guest(name="b", max_mib=8192, actual_mib=4000, used_mib=1000)
    return World(
        guests=[replace(a, **of_a), b],  # type: ignore[arg-type] # a test names real fields
        params=params(budget_mib=8000),
    )


def sure(world: World, name: str = "a") -> float:
    confidence = world.trace(name).confidence
    assert confidence is not None
    return confidence


def headroom_mib(world: World, name: str = "a") -> int:
    headroom = world.trace(name).headroom_bytes
    assert headroom is not None
    return headroom // MIB


def test_it_grows_with_samples_and_narrows_the_headroom() -> None:
    world = calm_world()
    told = []
    for _ in range(6):
        world.round()
        told.append((round(sure(world), 3), headroom_mib(world)))
    assert [confidence for confidence, _ in told] == [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    assert told[0][1] == pytest.approx(256 + 0.8 * (819 - 256), abs=1)
    assert told[-1][1] == 256


def test_it_falls_as_figures_grow_old() -> None:
    world = calm_world()
    world.rounds(ROUNDS)
    world.guest("a").frozen_wall_s = 1_790_000_000.0 + world.now_s
    world.round(elapse_s=2.0)
    assert sure(world) == 1.0
    steps = []
    for _ in range(2):
        world.round()
        steps.append((sure(world), headroom_mib(world)))
    assert steps[0][0] > steps[1][0] > 0.0
    assert steps[0][1] < steps[1][1]
    world.rounds(3)
    assert sure(world) == 0.0


def test_noise_halves_it_at_most() -> None:
    world = calm_world()
    world.rounds(ROUNDS)
    for turn in range(20):
        world.guest("a").used_mib = 400 if turn % 2 else 2400
        world.round()
    assert 0.5 <= sure(world) < 0.65
    assert sure(world, "b") == 1.0


def test_a_host_that_measures_much_more_leaves_none() -> None:
    world = calm_world(held_mib=7900)
    world.rounds(ROUNDS)
    assert sure(world) == 0.0


def test_nothing_is_taken_on_figures_that_are_not_sure() -> None:
    def takes(**switched: object) -> tuple[int, bool]:
        world = calm_world()
        world.params = replace(world.params, **switched)  # type: ignore[arg-type]
        world.rounds(ROUNDS)
        before = world.guest("a").actual_mib or 0
        world.guest("a").frozen_wall_s = 1_790_000_000.0 + world.now_s
        world.guest("b").used_mib = (world.guest("b").actual_mib or 0) - 5
        world.round(elapse_s=4.4)
        held_back = world.trace("a").reason is Reason.HOLD_UNSURE
        return before - (world.guest("a").actual_mib or 0), held_back

    assert takes() == (0, True)
    assert takes(rules_off=frozenset({GuardRule.FRESHNESS}))[0] > 0


def test_the_burst_reserve_is_as_large_as_rises_that_would_not_find_their_memory() -> None:
    def kept_back_mib(most_mib: int) -> int:
        """What lies free on the host once another has taken over what a burst once had."""
        world = calm_world()
        host = replace(
            world.params.host,
            burst_reserve=Amount(size_bytes=most_mib * MIB),
            burst_reserve_min=Amount(size_bytes=100 * MIB),
        )
        world.params = replace(world.params, host=host)
        world.rounds(ROUNDS)
        world.guest("a").used_mib = 3500
        world.rounds(5)
        world.guest("a").used_mib = 1000
        while world.guest("b").used_mib < 5000:
            world.guest("b").used_mib += 50
            world.rounds(2)
        world.rounds(60)
        return 8000 - sum(guest.actual_mib or 0 for guest in world.guests)

    assert kept_back_mib(100) < 300
    assert kept_back_mib(1000) > 600
