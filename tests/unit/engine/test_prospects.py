"""What is said of a guest's prospects is what the engine then does."""

from dataclasses import replace

import pytest

from aerostat.engine.params import EngineParams
from aerostat.engine.prospects import Prospects, bound_words, prospects
from aerostat.model.guest import GuestId
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Bound, Reason
from aerostat.policy.params import PolicyName
from aerostat.units import MIB
from builders import Guest, World, host_memory, params

NOTHING_KNOWN = GuestTrace(
    guest=GuestId("a"),
    name="a",
    reason=Reason.HOLD_HAS_ENOUGH,
    bound=Bound.NONE,
    target_before_bytes=None,
    target_bytes=None,
)
GROWING = {Reason.GROWN_TO_DEMAND, Reason.HOLD_WAITING_FOR_MEMORY}


def settled() -> World:
    """Three guests that have enough, on a budget that is all given out."""
    world = World(guests=[Guest(name=name, actual_mib=300, used_mib=150) for name in "abc"])
    world.rounds(30)
    assert {trace.reason for trace in world.last.trace.guests} == {Reason.HOLD_HAS_ENOUGH}  # type: ignore[union-attr]
    return world


def told(world: World, name: str) -> Prospects:
    return prospects(world.trace(name), world.params)


@pytest.mark.parametrize("policy", PolicyName)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_prospects_even_when_nothing_is_known(
    reason: Reason, policy: PolicyName
) -> None:
    found = prospects(replace(NOTHING_KNOWN, reason=reason), EngineParams(policy=policy))
    assert found.sentences
    assert not any("None" in s or "{" in s or not s.endswith(".") for s in found.sentences)


@pytest.mark.parametrize("bound", Bound)
def test_every_bound_has_words_but_none(bound: Bound) -> None:
    words = bound_words(replace(NOTHING_KNOWN, bound=bound))
    assert (words is None) == (bound is Bound.NONE)
    assert words is None or "{" not in words


@pytest.mark.parametrize(("beyond_mib", "grows"), [(12, False), (-4, True)])
def test_it_grows_below_what_was_said(beyond_mib: int, grows: bool) -> None:
    # The others use what they hold, so that nothing is left over for anybody.
    guests = [Guest(name=name, actual_mib=300, used_mib=240) for name in "abc"]
    world = World(guests=guests)
    world.rounds(30)
    least = told(world, "a").grows_below_available_bytes
    assert least is not None
    reasons = set()
    while world.guest("a").used_mib < 300 - least // MIB - beyond_mib:
        world.guest("a").used_mib += 1  # slowly: a rise is believed to go on
        world.round()
        reasons.add(world.trace("a").reason)
    assert bool(reasons & GROWING) is grows


@pytest.mark.parametrize(("beyond_mib", "released"), [(6, False), (-2, True)])
def test_it_is_released_below_what_was_said(beyond_mib: int, released: bool) -> None:
    world = settled()
    least = told(world, "a").released_below_available_bytes
    assert least is not None
    world.guest("a").available_mib = least // MIB + beyond_mib
    world.round()
    assert world.trace("a").is_distressed is released


def test_it_keeps_the_floor_that_was_said() -> None:
    world = settled()
    for name in "bc":
        world.guest(name).used_mib = 500
    world.guest("a").used_mib = 20
    lowest = 512 * MIB
    for _ in range(200):
        world.round()
        lowest = min(lowest, world.trace("a").target_bytes or lowest)
    assert lowest == told(world, "a").floor_bytes
    assert any("It gives nothing" in sentence for sentence in told(world, "a").sentences)


def test_a_guest_at_its_max_cannot_grow() -> None:
    world = World(guests=[Guest(name="a", used_mib=100)], params=params(budget_mib=2000))
    world.rounds(4)
    found = told(world, "a")
    assert found.grows_below_available_bytes is None
    assert "It has its max of 512 MiB and cannot grow." in found.sentences


def test_another_policys_sizes_are_not_explained_by_ours() -> None:
    world = settled()
    static = replace(world.params, policy=PolicyName.STATIC)
    (sentence,) = prospects(world.trace("a"), static).sentences
    assert "the policy static" in sentence


def test_the_floor_is_the_one_that_binds() -> None:
    """A guest that has never swapped keeps all it uses, whatever its min: that is what is said."""
    world = World(
        guests=[Guest(name="a", max_mib=1024, actual_mib=1024, used_mib=600)],
        params=params(budget_mib=300),
    )
    world.rounds(40)
    found = told(world, "a")
    assert found.floor_bytes == world.trace("a").floor_bytes
    held = (world.guest("a").actual_mib or 0) * MIB
    assert 600 * MIB < held <= (found.floor_bytes or 0) + 8 * MIB


def test_on_a_short_host_one_at_its_floor_says_so() -> None:
    world = World(
        guests=[Guest(name="a", max_mib=1024, actual_mib=256, used_mib=100)],
        params=params(budget_mib=None),
        memory=host_memory(total_gib=16, available_gib=0.2),
    )
    world.rounds(10)
    assert world.trace("a").reason is Reason.HOLD_AT_FLOOR
    assert world.trace("a").bound is Bound.MIN


def test_an_older_trace_has_the_floor_that_could_be_told_then() -> None:
    world = settled()
    trace = replace(world.trace("a"), floor_bytes=None)
    assert prospects(trace, world.params).floor_bytes == 128 * MIB
