"""A guest in need is not made to wait for a free page where the host may compress or swap."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from aerostat.engine.params import Accounting, EngineParams, HostParams, LadderParams
from aerostat.model.events import HOST_ITSELF, TechniqueAct, TechniqueUsed
from aerostat.model.host_state import LadderStep
from aerostat.model.limits import Amount, GuestLimits
from aerostat.units import GIB, MIB
from builders import Guest, World, host_memory, params

STEPS = (LadderStep.TAKE_FREE, LadderStep.COMPRESS, LadderStep.SWAP)


def ladder(accounting: Accounting = Accounting.ELASTIC, **other: object) -> EngineParams:
    host = HostParams(accounting=accounting, reserve=Amount(max_ratio=0.06))
    steps = LadderParams(comfortable=STEPS, soft=STEPS, hard=STEPS, critical=STEPS)
    return replace(params(budget_mib=None), host=host, ladder=steps, **other)  # type: ignore[arg-type]


def full_host(params: EngineParams, *, swap_gib: float = 2.0, is_on: bool = True) -> World:
    """A host without a free page; one guest short of memory, two whose memory may be paged out."""
    memory = host_memory(total_gib=1.2, available_gib=0.0)
    swap = int(swap_gib * GIB)
    world = World(
        guests=[
            Guest(name="hungry", actual_mib=256, used_mib=250, held_mib=320),
            Guest(name="one", actual_mib=400, used_mib=350, held_mib=440),
            Guest(name="two", actual_mib=400, used_mib=350, held_mib=440),
        ],
        memory=replace(memory, swap_total_bytes=swap, swap_free_bytes=swap),
        params=params,
    )
    if is_on:
        world.events = [switched_on(step) for step in (LadderStep.COMPRESS, LadderStep.SWAP)]
    world.rounds(4)
    return world


def switched_on(step: LadderStep) -> TechniqueUsed:
    return TechniqueUsed(guest=HOST_ITSELF, step=step, act=TechniqueAct.SWITCHED_ON)


def hungry_after_distress(world: World) -> int:
    for _ in range(3):
        world.guest("hungry").swap_in_mib += 20
        world.guest("hungry").swap_out_mib += 20
        world.round()
    return world.guest("hungry").actual_mib or 0


def test_distress_is_served_from_what_the_host_may_page_out() -> None:
    assert hungry_after_distress(full_host(ladder())) == 512


def test_need_is_served_before_it_becomes_distress() -> None:
    world = full_host(ladder())
    assert (world.guest("hungry").actual_mib or 0) > 256


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(lambda: full_host(ladder(Accounting.STRICT)), id="strict"),
        pytest.param(lambda: full_host(ladder(), is_on=False), id="nothing is on"),
        pytest.param(lambda: full_host(ladder(), swap_gib=0.0), id="swap is full"),
        pytest.param(
            lambda: full_host(ladder(default_limits=GuestLimits(exempt=frozenset(STEPS)))),
            id="all are exempt",
        ),
        pytest.param(
            lambda: full_host(
                replace(
                    ladder(),
                    host=HostParams(accounting=Accounting.ELASTIC, budget_bytes=1056 * MIB),
                )
            ),
            id="a budget is a promise",
        ),
    ],
)
def test_nothing_is_given_that_the_host_does_not_have(world: Callable[[], World]) -> None:
    assert hungry_after_distress(world()) == 256


@pytest.mark.parametrize("is_on", [True, False])
def test_what_the_host_has_paged_out_is_not_read_back_for_a_balloon(is_on: bool) -> None:
    """Where the host pages out by itself, it has what is in RAM of such a guest without that."""
    world = full_host(ladder(), is_on=is_on)
    freed = world.guest("one")
    freed.actual_mib, freed.used_mib, freed.held_mib, freed.host_swap_mib = 400, 100, 200, 250
    world.round()
    taken_mib = 400 - (freed.actual_mib or 0)
    assert taken_mib <= 52 if is_on else taken_mib > 100, "a little at a time, or all of it"


def test_of_one_with_little_in_the_hosts_swap_what_is_free_is_taken_at_once() -> None:
    world = full_host(ladder())
    freed = world.guest("one")
    freed.actual_mib, freed.used_mib, freed.held_mib, freed.host_swap_mib = 400, 100, 400, 60
    world.round()
    assert (freed.actual_mib or 0) < 300
