"""Pressure that an agent pushes: it gives at once, on no new sample, and it never takes."""

from dataclasses import replace

import pytest

from aerostat.engine.distress import OWN_EFFECT_S
from aerostat.engine.params import HostParams
from aerostat.model.events import (
    LifecycleChanged,
    LifecycleKind,
    PressurePushed,
    PressureTrigger,
)
from aerostat.model.figures import GuestPressure
from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount
from aerostat.policy.columns import ABSENT
from aerostat.units import MIB
from builders import WALL_S, Guest, World, params


def quiet(*others: Guest, used_mib: int = 100) -> World:
    """A host that keeps 128 MiB for guests in distress, whose guests are well and then silent."""
    guest = Guest(name="a", actual_mib=300, used_mib=used_mib)
    host = HostParams(
        budget_bytes=480 * MIB,
        burst_reserve=Amount(size_bytes=128 * MIB),
        burst_reserve_min=Amount(size_bytes=128 * MIB),
    )
    world = World(guests=[guest, *others], params=params(host=host))
    world.rounds(8)
    assert not world.trace("a").is_distressed
    for one in world.guests:
        one.frozen_wall_s = WALL_S + world.now_s  # no sample comes from now on
    return world


def pushed(free_mib: int | None, trigger: PressureTrigger = PressureTrigger.FULL) -> PressurePushed:
    return PressurePushed(
        guest=GuestId("a"),
        trigger=trigger,
        free_bytes=None if free_mib is None else free_mib * MIB,
        is_first=True,
    )


@pytest.mark.parametrize("trigger", list(PressureTrigger))
def test_pushed_pressure_gives_all_there_is_without_a_new_sample(trigger: PressureTrigger) -> None:
    world = quiet()
    before_mib = world.guests[0].actual_mib or 0
    world.events.append(pushed(4, trigger))
    world.round(elapse_s=0.3)
    assert world.trace("a").is_distressed
    assert world.guests[0].actual_mib == 480 > before_mib
    world.round(elapse_s=0.3)
    assert not world.trace("a").is_distressed, "what was given counts as free at once"


def test_it_is_forgotten_where_nothing_more_comes() -> None:
    world = quiet()
    world.obeys = False
    world.events.append(pushed(4))
    world.state = replace(world.state)
    world.round(elapse_s=0.3)
    assert world.trace("a").is_distressed
    world.events.clear()  # the target was never sent
    world.rounds(6, elapse_s=0.3)
    assert not world.trace("a").is_distressed


@pytest.mark.parametrize("free_mib", [None, 250])
def test_a_cry_with_a_headroom_free_or_without_a_figure_moves_nothing(free_mib: int | None) -> None:
    world = quiet()
    before_mib = world.guests[0].actual_mib
    world.events.append(pushed(free_mib))
    world.round(elapse_s=0.3)
    assert not world.trace("a").is_distressed
    assert world.guests[0].actual_mib == before_mib


def test_silence_after_a_cry_takes_nothing_from_anybody_calm_or_not() -> None:
    """An agent that says that all is well says nothing: only samples of the driver may take."""
    world = quiet(Guest(name="b", actual_mib=200, used_mib=150))
    world.events.append(pushed(4))
    held = {guest.name: guest.actual_mib or 0 for guest in world.guests}
    for _ in range(10):
        world.round(elapse_s=0.3)
        assert (world.guest("a").actual_mib or 0) >= held["a"]


def test_a_guest_just_squeezed_is_expected_to_wait() -> None:
    """Until its own effect is over the take is judged by samples, as without an agent."""
    world = quiet(used_mib=300)
    memory = world.state.memory
    memory.squeeze_from_bytes[0] = 500 * MIB
    memory.squeeze_s[0] = world.now_s
    world.events.append(pushed(4))
    world.round(elapse_s=0.3)
    assert not world.trace("a").is_distressed
    world.events.append(pushed(4, PressureTrigger.SOME))
    world.round(elapse_s=OWN_EFFECT_S)
    assert not world.trace("a").is_distressed, "that somebody in it waits was asked of it"
    world.events.append(pushed(4))
    world.round(elapse_s=0.3)
    assert world.trace("a").is_distressed


def test_the_worst_stands_of_what_one_round_hears() -> None:
    world = quiet()
    memory = world.state.memory
    memory.squeeze_from_bytes[0] = 500 * MIB
    memory.squeeze_s[0] = world.now_s
    world.events += [pushed(4), pushed(4, PressureTrigger.SOME)]
    world.round(elapse_s=OWN_EFFECT_S)
    assert world.trace("a").is_distressed, "everybody in it waited"


def test_a_reset_forgets_what_the_old_kernel_cried() -> None:
    world = quiet()
    world.events += [
        pushed(4),
        LifecycleChanged(guest=GuestId("a"), kind=LifecycleKind.RESET),
    ]
    world.round(elapse_s=0.3)
    assert world.state.memory.pushed_free_bytes[0] == ABSENT


def test_rates_of_an_agents_figures_are_over_their_own_time() -> None:
    """Samples come every second, the agent's figures every two: the ratio is always theirs."""
    world = World(guests=[Guest(name="a")], params=params(budget_mib=480))
    ratios = []
    for second in range(8):
        even_s = second // 2 * 2
        world.guests[0].pressure = GuestPressure(
            sampled_wall_s=WALL_S + even_s,
            age_s=0.0,
            some_total_s=0.1 * even_s,
            refaults=40 * even_s,
        )
        world.round()
        ratios.append((world.trace("a").pressure_some_ratio, world.trace("a").refaults_per_s))
    assert ratios[:2] == [(None, None)] * 2
    for ratio, refaults in ratios[2:]:
        assert ratio == pytest.approx(0.1)
        assert refaults == pytest.approx(40.0)
    world.guests[0].pressure = None
    world.round()
    assert world.trace("a").pressure_some_ratio is None
