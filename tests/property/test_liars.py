"""What a guest can gain by lying: its fair share and what nobody needs, not others' memory."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerostat.policy.columns import ABSENT
from aerostat.policy.water import fill
from aerostat.sim.chaos.columns import World, empty_world
from aerostat.sim.chaos.happen import Happening, Kind, happen
from aerostat.sim.chaos.run import Runner
from aerostat.units import GIB, MIB

LIAR = 0
HONEST = (1, 2, 3)
SHORT_RATIO = 0.05
"""Of max: so much of its hot memory an honest guest may miss on the mean, over the watched time."""


def world_with_a_liar(needs_mib: Sequence[int], weights: Sequence[int], budget_mib: int) -> World:
    """A liar of 1 GiB that needs next to nothing, and three honest guests of 512 MiB."""
    world = empty_world(4, 1.0)
    for i in range(4):
        max_bytes = (1024 if i == LIAR else 512) * MIB
        guests = world.guests
        guests.max_bytes[i] = guests.ceiling_bytes[i] = max_bytes
        guests.min_bytes[i] = 64 * MIB
        guests.weight[i] = weights[i]
        guests.is_managed[i] = guests.has_balloon[i] = 1
        guests.need_bytes[i] = (100 if i == LIAR else needs_mib[i - 1]) * MIB
        guests.swap_size_bytes[i] = max_bytes
        happen(world, Happening(tick=0, kind=Kind.APPEAR, guest=i))
        guests.actual_bytes[i] = guests.target_bytes[i] = budget_mib * MIB // 4
    host = world.host
    host.total_bytes[0] = 8 * GIB
    host.other_bytes[0] = GIB // 2
    host.reserve_bytes[0] = GIB // 2
    host.budget_bytes[0] = budget_mib * MIB
    host.is_readable[0] = host.is_enforcing[0] = 1
    return world


def fair_mib(needs_mib: Sequence[int], weights: Sequence[int], supply_mib: int) -> list[int]:
    """Weighted max-min fair shares where the liar asks for all it can."""
    held = [128 * MIB] * 4
    caps = [1024 * MIB, *(max(128, need) * MIB for need in needs_mib)]
    fill(held, caps, list(weights), 0, 4, supply_mib * MIB)
    return [size // MIB for size in held]


@pytest.mark.slow
@settings(max_examples=40)
@given(
    needs_mib=st.lists(st.integers(90, 440), min_size=3, max_size=3),
    weights=st.lists(st.sampled_from([50, 100, 200]), min_size=4, max_size=4),
    budget_mib=st.integers(1000, 2000),
    claim=st.sampled_from([0, 5, ABSENT]),
    cry_mib=st.sampled_from([0, 5, 50]),
)
def test_honest_guests_below_their_fair_share_keep_what_they_need(
    needs_mib: list[int], weights: list[int], budget_mib: int, claim: int, cry_mib: int
) -> None:
    world = world_with_a_liar(needs_mib, weights, budget_mib)
    runner = Runner(world, how="interpreted")
    lies = (
        Happening(tick=60, kind=Kind.CLAIM, guest=LIAR, amount=claim),
        Happening(tick=60, kind=Kind.CRY, guest=LIAR, amount=cry_mib * MIB),
    )
    runner.play(lies, 300)
    before = list(world.guests.short_byte_s)
    runner.play((), 600)
    fair = fair_mib(needs_mib, weights, int(0.95 * budget_mib))
    for i in HONEST:
        if needs_mib[i - 1] + 56 <= fair[i]:  # with its headroom it is below its share
            short = (world.guests.short_byte_s[i] - before[i]) / 600.0
            assert short <= SHORT_RATIO * world.guests.max_bytes[i], (i, short / MIB)


@pytest.mark.parametrize("claim", [900, 1000])
def test_a_guest_that_claims_plenty_is_not_the_better_for_it(claim: int) -> None:
    """It is taken from, as it asked to be, and released when that hurts it: others lose nothing."""
    world = world_with_a_liar([200, 200, 200], [100] * 4, 1200)
    world.guests.need_bytes[LIAR] = 400 * MIB
    runner = Runner(world, how="interpreted")
    runner.play((Happening(tick=60, kind=Kind.CLAIM, guest=LIAR, amount=claim),), 600)
    for i in HONEST:
        assert world.guests.swapped_bytes[i] == 0
        assert world.guests.actual_bytes[i] >= 200 * MIB
