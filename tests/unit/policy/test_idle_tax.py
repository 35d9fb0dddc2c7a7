"""``idle_tax``: price, equal prices, averages, the host's states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.policy.active import estimate_active, new_active_memory, observe_active
from aerostat.policy.idle_tax import (
    STATE_HARD,
    STATE_HIGH,
    STATE_LOW,
    STATE_SOFT,
    TAX_RATIO,
    next_state,
)
from aerostat.policy.params import PolicyName
from aerostat.policy.price import equal_price_sizes, price
from aerostat.units import GIB, MIB
from unit.policy.views import Asked, Guest, host, view


def test_an_idle_page_costs_four_times_an_active_one() -> None:
    """The worked example."""
    assert price(shares=1000, held_bytes=256, active_ratio=0.5, tax_ratio=0.75) == 1.5625
    all_active = price(shares=1000, held_bytes=256, active_ratio=1.0, tax_ratio=0.75)
    all_idle = price(shares=1000, held_bytes=256, active_ratio=0.0, tax_ratio=0.75)
    assert all_active == 4 * all_idle


def test_without_a_tax_idleness_does_not_matter() -> None:
    assert price(shares=10, held_bytes=5, active_ratio=0.1, tax_ratio=0.0) == 2.0
    assert price(shares=10, held_bytes=0, active_ratio=0.1, tax_ratio=0.0) == float("inf")


def test_equal_shares_and_an_idle_neighbour() -> None:
    """With half of it each, the idle guest would pay a quarter; it ends with far less."""
    sizes = equal_price_sizes(
        [1000, 1000], [4 * GIB, 0], [0, 0], [8 * GIB, 8 * GIB], supply_bytes=5 * GIB, tax_ratio=0.75
    )
    assert sizes[0] == pytest.approx(4 * GIB, rel=1e-4)
    assert sizes[1] == pytest.approx(1 * GIB, rel=1e-3)


GUESTS = st.lists(
    st.tuples(
        st.integers(1, 10_000), st.floats(0, 1), st.integers(0, 4 * GIB), st.integers(1, 8 * GIB)
    ),
    min_size=2,
    max_size=6,
)


@given(GUESTS, st.integers(0, 40 * GIB))
def test_whoever_is_between_its_bounds_pays_the_same(
    rows: list[tuple[int, float, int, int]], supply: int
) -> None:
    shares = [row[0] for row in rows]
    high = [max(row[2], row[3]) for row in rows]
    low = [min(row[2], row[3]) for row in rows]
    active = [int(row[1] * top) for row, top in zip(rows, high, strict=True)]
    sizes = equal_price_sizes(shares, active, low, high, supply_bytes=supply, tax_ratio=TAX_RATIO)
    assert sum(sizes) <= max(supply, sum(low))
    prices = []
    for i, size in enumerate(sizes):
        assert low[i] <= size <= high[i]
        if low[i] < size < high[i] and size > 64 * MIB:
            ratio = min(1.0, active[i] / size)
            prices.append(
                price(shares=shares[i], held_bytes=size, active_ratio=ratio, tax_ratio=TAX_RATIO)
            )
    for paid in prices:
        assert paid == pytest.approx(prices[0], rel=1e-3)


@pytest.mark.parametrize(
    ("state", "free", "expected"),
    [
        (STATE_HIGH, 0.05, STATE_HIGH),  # not below 4 %
        (STATE_HIGH, 0.039, STATE_SOFT),
        (STATE_SOFT, 0.05, STATE_SOFT),  # not above 6 %
        (STATE_SOFT, 0.06, STATE_HIGH),
        (STATE_SOFT, 0.019, STATE_HARD),
        (STATE_HARD, 0.03, STATE_HARD),
        (STATE_HARD, 0.04, STATE_SOFT),
        (STATE_HIGH, 0.009, STATE_LOW),
        (STATE_LOW, 0.015, STATE_LOW),
        (STATE_LOW, 0.02, STATE_HARD),
        (STATE_LOW, 0.5, STATE_HIGH),
    ],
)
def test_a_state_is_left_above_the_line_it_was_entered_below(
    state: int, free: float, expected: int
) -> None:
    assert next_state(state, free_ratio=free) == expected


def asked_pair() -> Asked:
    return Asked(
        PolicyName.IDLE_TAX,
        Guest(min_mib=256, active_ratio=0.9),
        Guest(min_mib=256, active_ratio=0.1),
    )


def test_the_idle_give_to_the_active() -> None:
    busy, idle = asked_pair().targets_mib(host(total_mib=8192, supply_mib=4096))
    assert busy > 2048
    assert idle < 2048
    assert busy + idle <= 4096


def test_a_balloon_takes_two_thirds_at_the_most() -> None:
    targets = asked_pair().targets_mib(host(supply_mib=100))
    assert targets == [pytest.approx(0.35 * 4096, abs=1)] * 2


def test_below_the_soft_line_nobody_is_grown() -> None:
    short = host(total_mib=8192, available_mib=200, supply_mib=4096)
    busy, idle = asked_pair().targets_mib(short)
    assert busy == 2048
    assert idle < 2048


def test_no_shares_means_exactly_the_floor() -> None:
    asked = Asked(PolicyName.IDLE_TAX, Guest(min_mib=2000, weight=0), Guest())
    assert asked.targets_mib(host(supply_mib=6000))[0] == 2000


def test_a_guest_never_grows_because_it_swaps() -> None:
    """The documented fault: swapping out makes it look less active, and it is cut."""
    calm = Asked(PolicyName.IDLE_TAX, Guest(available_mib=100), Guest(available_mib=100))
    swapping = Asked(
        PolicyName.IDLE_TAX,
        Guest(available_mib=700, swap_out_mib_s=50.0),
        Guest(available_mib=100),
    )
    at = host(supply_mib=4096)
    assert swapping.targets(at)[0] < calm.targets(at)[0]


def test_a_rise_is_believed_at_once_and_a_fall_late() -> None:
    memory = new_active_memory(1)
    idle, busy = view([Guest(active_ratio=0.1)]), view([Guest(active_ratio=0.9)])
    for now_s in range(0, 300, 10):
        observe_active(idle, memory, 0, now_s=float(now_s))
    low = estimate_active(memory, 0)
    observe_active(busy, memory, 0, now_s=300.0)
    raised = estimate_active(memory, 0)
    assert raised > low
    for now_s in range(310, 610, 10):
        observe_active(busy, memory, 0, now_s=float(now_s))
    high = estimate_active(memory, 0)
    observe_active(idle, memory, 0, now_s=610.0)
    assert estimate_active(memory, 0) == high
    for now_s in range(620, 740, 10):
        observe_active(idle, memory, 0, now_s=float(now_s))
    assert low < estimate_active(memory, 0) < high


def test_of_the_averages_the_slow_one_falls_last() -> None:
    memory = new_active_memory(1)
    idle, busy = view([Guest(active_ratio=0.1)]), view([Guest(active_ratio=0.9)])
    for period in range(40):
        observe_active(busy if period < 20 else idle, memory, 0, now_s=30.0 * period)
    assert memory.slow_bytes[0] > 1.05 * memory.fast_bytes[0]
    assert estimate_active(memory, 0) == int(memory.slow_bytes[0])


def test_a_sample_counts_once() -> None:
    memory = new_active_memory(1)
    same = view([Guest(is_new_sample=False)])
    for now_s in (0.0, 1.0, 2.0):
        observe_active(same, memory, 0, now_s=now_s)
    assert memory.period_samples == [1]


def test_a_guest_without_any_sample_is_left_alone() -> None:
    asked = Asked(PolicyName.IDLE_TAX, Guest(available_mib=None))
    assert asked.targets_mib(host(supply_mib=0)) == [2048]
    assert asked.targets_mib(host(available_mib=None)) == [2048]
