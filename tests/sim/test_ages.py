"""Working sets by age, and what they mean for a guest and for a cache."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.sim.ages import UNIFORM, Ages, hit_ratio, is_curve
from aerostat.sim.constants import GuestPhysics
from aerostat.sim.guest_state import Load
from aerostat.sim.physics import GuestBuild
from aerostat.units import MIB
from sim.worlds import build, seconds_of, served_ratio, world_of_one

SKEWED = Ages(0.45, 0.6, 0.75, 0.9)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_memory_never_hits_less(one: float, other: float) -> None:
    """And nothing of it hits nothing, all of it all."""
    for ages in (UNIFORM, SKEWED):
        assert hit_ratio(*ages, min(one, other)) <= hit_ratio(*ages, max(one, other)) + 1e-12
        assert hit_ratio(*ages, 0.0) == 0.0
        assert hit_ratio(*ages, 1.0) == 1.0
        assert hit_ratio(*UNIFORM, one) == pytest.approx(one)


def test_what_a_curve_says_it_does() -> None:
    """At its own points, and straight between them."""
    for held, hit in ((1 / 16, 0.45), (1 / 8, 0.6), (1 / 4, 0.75), (1 / 2, 0.9), (3 / 4, 0.95)):
        assert hit_ratio(*SKEWED, held) == pytest.approx(hit)


def test_older_memory_cannot_be_used_more_than_younger() -> None:
    """Such a file would be a working set with its ages mixed up."""
    assert is_curve(UNIFORM)
    assert is_curve(SKEWED)
    assert not is_curve(Ages(0.1, 0.3, 0.4, 0.5))
    assert not is_curve(Ages(0.5, 0.8, 1.1, 1.2))


def test_a_skewed_set_bears_a_squeeze_that_a_uniform_one_does_not() -> None:
    """350 MiB hot in 300: the oldest are hardly used, so the requests hardly miss them."""
    ratios = {}
    for ages in (UNIFORM, SKEWED):
        world = world_of_one(hot_mib=350, target_mib=300)
        guest = world.guest("vm")
        guest.change_load(ages=ages)
        world.advance(20)
        ratios[ages] = served_ratio(seconds_of(world, 10))
        assert guest.state.swap_out_bytes > 20 * MIB
    assert ratios[UNIFORM] < 0.6
    assert ratios[SKEWED] > 0.9


def test_requests_that_wait_for_files_feel_a_squeezed_cache() -> None:
    """Nothing is swapped, and yet the guest is slow: its refaults tell, not its swap."""
    physics = GuestPhysics(file_read_s=0.0003)
    reads = Load(
        hot_bytes=20 * MIB, file_bytes=200 * MIB, file_pages_per_s=5000, request_file_pages=4
    )
    served = {}
    for target_mib in (400, 180):
        world = world_of_one(guest_build=GuestBuild(max_bytes=512 * MIB, physics=physics))
        guest = world.guest("vm")
        guest.set_load(reads)
        world.advance(30)
        guest.set_target(target_mib * MIB)
        world.advance(10)
        before = guest.state.pressure_some_s
        served[target_mib] = served_ratio(seconds_of(world, 10))
        assert guest.state.swap_out_bytes < 8 * MIB
        assert (guest.state.pressure_some_s > before + 1) is (target_mib == 180)
    assert served[400] > 0.99
    assert served[180] < 0.8


def test_the_hot_part_of_the_files_is_what_a_cache_needs() -> None:
    """With most reads on a quarter of the files, half of the cache misses few."""
    read = {}
    for ages in (UNIFORM, SKEWED):
        world = world_of_one(guest_build=build())
        guest = world.guest("vm")
        guest.set_load(
            Load(
                hot_bytes=20 * MIB,
                file_bytes=200 * MIB,
                file_pages_per_s=20_000,
                file_ages=ages,
            )
        )
        world.advance(40)
        guest.set_target(180 * MIB)
        world.advance(5)
        before = guest.state.refaults
        world.advance(5)
        read[ages] = guest.state.refaults - before
    assert read[SKEWED] < 0.5 * read[UNIFORM]
