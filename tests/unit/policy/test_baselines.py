"""What holds for every baseline, whatever the figures say."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerostat.policy.columns import ABSENT
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.units import MIB
from unit.policy.views import Asked, Guest, host

SIZES = st.one_of(st.none(), st.sampled_from([0, 1, 4096]), st.integers(0, 65_536))
RATES = st.one_of(st.none(), st.floats(0, 1000))


@st.composite
def anybody(draw: st.DrawFn) -> Guest:
    """A guest whose figures may be missing, zero, or contradict each other."""
    return Guest(
        min_mib=draw(SIZES),
        max_mib=draw(SIZES),
        actual_mib=draw(SIZES),
        ordered_mib=draw(st.integers(0, 65_536)),
        total_mib=draw(SIZES),
        available_mib=draw(SIZES),
        free_mib=draw(SIZES),
        cache_mib=draw(SIZES),
        weight=draw(st.sampled_from([ABSENT, 0, 1, 100, 50_000])),
        swap_in_mib_s=draw(RATES),
        swap_out_mib_s=draw(RATES),
        pressure_some_s=draw(RATES),
        active_ratio=draw(st.one_of(st.none(), st.floats(0, 1))),
        is_movable=draw(st.booleans()),
        is_new_sample=draw(st.booleans()),
        sample_age_s=draw(st.one_of(st.none(), st.floats(0, 30))),
        since_s=draw(st.one_of(st.none(), st.floats(0, 1000))),
        demand_mib=draw(SIZES),
        next_demand_mib=draw(SIZES),
    )


@st.composite
def sound(draw: st.DrawFn) -> Guest:
    """A guest that can be moved and whose bounds make sense."""
    guest = draw(anybody())
    low, high = sorted((draw(st.integers(0, 65_536)), draw(st.integers(1, 65_536))))
    guest.min_mib, guest.max_mib = low, high
    guest.actual_mib = draw(st.integers(0, 65_536))
    guest.ordered_mib = guest.actual_mib
    guest.is_movable = True
    return guest


ANYBODY = st.lists(anybody(), max_size=6)
HOSTS = st.builds(
    host,
    now_s=st.floats(0, 10_000),
    total_mib=SIZES,
    available_mib=SIZES,
    supply_mib=st.integers(0, 200_000),
    free_mib=SIZES,
    cache_mib=SIZES,
)
EVERY = pytest.mark.parametrize("name", sorted(BASELINES))


def test_every_name_has_a_rule_or_is_one_of_ours() -> None:
    ours = {PolicyName.ADAPTIVE, PolicyName.STATIC}
    assert set(BASELINES) == set(PolicyName) - ours
    assert all(baseline.name == name for name, baseline in BASELINES.items())


@EVERY
def test_memory_has_one_entry_a_guest(name: PolicyName) -> None:
    memory = BASELINES[name].new_memory(3)
    assert all(len(column) == 3 for column in memory)


@EVERY
@settings(max_examples=40)
@given(guests=ANYBODY, hosts=st.lists(HOSTS, min_size=1, max_size=3))
def test_no_figure_breaks_it(name: PolicyName, guests: list[Guest], hosts: list) -> None:  # type: ignore[type-arg] # hypothesis hands out views
    """What is absent, zero or contradictory ends in a target all the same."""
    asked = Asked(name, *guests)
    for at in hosts:
        targets = asked.targets(at)
        for guest, target in zip(guests, targets, strict=True):
            assert type(target) is int
            assert target >= 0
            if not guest.is_movable or guest.actual_mib is None:
                assert target == (guest.ordered_mib or 0) * MIB


@EVERY
@settings(max_examples=40)
@given(guests=st.lists(sound(), max_size=5), at=HOSTS)
def test_a_changed_target_lies_within_the_bounds_or_on_the_way_there(
    name: PolicyName, guests: list[Guest], at: object
) -> None:
    targets = Asked(name, *guests).targets(at)  # type: ignore[arg-type] # hypothesis hands out views
    for guest, target in zip(guests, targets, strict=True):
        assert guest.min_mib is not None
        assert guest.max_mib is not None
        low = min(guest.min_mib, guest.holds_mib) * MIB
        assert low <= target <= max(guest.max_mib, guest.holds_mib) * MIB


@EVERY
@settings(max_examples=40)
@given(
    guests=ANYBODY,
    hosts=st.lists(HOSTS, min_size=1, max_size=3),
    seed=st.integers(0, 1000),
)
def test_the_order_of_guests_decides_nothing(
    name: PolicyName,
    guests: list[Guest],
    hosts: list,  # type: ignore[type-arg] # hypothesis hands out views
    seed: int,
) -> None:
    order = list(range(len(guests)))
    random.Random(seed).shuffle(order)
    plain, shuffled = Asked(name, *guests), Asked(name, *[guests[i] for i in order])
    for at in hosts:
        targets = plain.targets(at)
        assert shuffled.targets(at) == [targets[i] for i in order]


@EVERY
@settings(max_examples=40)
@given(guests=ANYBODY, at=HOSTS)
def test_the_same_view_gives_the_same_targets(
    name: PolicyName, guests: list[Guest], at: object
) -> None:
    assert Asked(name, *guests).targets(at) == Asked(name, *guests).targets(at)  # type: ignore[arg-type] # hypothesis hands out views


@EVERY
def test_a_host_without_guests_is_no_trouble(name: PolicyName) -> None:
    assert Asked(name).targets() == []
