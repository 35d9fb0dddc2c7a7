"""``pressure_percent``: demand with a buffer, a floor by size, pressure levelled when short."""

import pytest

from aerostat.policy.params import PolicyName
from aerostat.policy.pressure_percent import desired_bytes, kernel_floor_mib, pressure_percent
from aerostat.units import GIB, MIB
from unit.policy.views import Asked, Guest, host


def asked(*guests: Guest) -> Asked:
    return Asked(PolicyName.PRESSURE_PERCENT, *guests)


def test_the_default_buffer_settles_at_eighty_three_percent() -> None:
    demand = 10 * GIB
    assert round(pressure_percent(demand=demand, assigned=desired_bytes(demand))) == 83
    assert pressure_percent(demand=demand, assigned=0) == 0.0


@pytest.mark.parametrize(
    ("ram_mib", "floor_mib"),
    [(64, 40), (127, 71), (128, 72), (512, 168), (2047, 359), (2048, 360), (8192, 744)],
)
def test_the_floor_follows_the_guests_size(ram_mib: int, floor_mib: int) -> None:
    """2048 MiB -> 360 is the worked example; the pieces meet without a step."""
    assert kernel_floor_mib(ram_mib) == floor_mib


def test_a_needy_guest_grows_at_once() -> None:
    assert asked(Guest(available_mib=48)).targets_mib() == [2400]


def test_an_idle_guest_is_taken_from_slowly() -> None:
    idle = asked(Guest(min_mib=512, actual_mib=2048, available_mib=1798))
    first = idle.obeyed()[0]
    assert first == 2048 - (2048 - 512) / 16
    idle.guests[0].available_mib = first - 250
    assert idle.obeyed()[0] < first


def test_units_are_two_mib() -> None:
    assert desired_bytes(100 * MIB) == 120 * MIB
    assert desired_bytes(101 * MIB) == 122 * MIB


def test_nothing_is_done_for_the_first_45_seconds() -> None:
    booting = asked(Guest(available_mib=0, since_s=960.0))
    assert booting.targets_mib(host(now_s=1000.0)) == [2048]
    assert booting.targets_mib(host(now_s=1005.0))[0] > 2048


def test_a_silent_guest_is_left_alone() -> None:
    assert asked(Guest(available_mib=None)).targets_mib(host(supply_mib=100)) == [2048]


def test_a_short_host_levels_pressure() -> None:
    """Demands of 3000 and 1000 with 2000 to share: both end at the same pressure."""
    big = Guest(min_mib=100, max_mib=8192, actual_mib=3000, available_mib=0)
    small = Guest(min_mib=100, max_mib=2048, actual_mib=1000, available_mib=0)
    sizes = asked(big, small).targets_mib(host(supply_mib=2000))
    assert 3000 / sizes[0] == pytest.approx(1000 / sizes[1], rel=0.01)
    assert sum(sizes) <= 2000


def test_weight_biases_the_levelling() -> None:
    low = Guest(min_mib=100, actual_mib=2000, available_mib=0, weight=50)
    high = Guest(min_mib=100, actual_mib=2000, available_mib=0, weight=100)
    sizes = asked(low, high).targets_mib(host(supply_mib=2100))
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.01)


def test_no_guest_goes_below_its_floor_though_the_host_is_short() -> None:
    sizes = asked(Guest(min_mib=10, max_mib=2048, actual_mib=2048)).targets_mib(host(supply_mib=0))
    assert sizes == [360]


def test_what_was_swapped_out_is_no_demand() -> None:
    """The fault of our approximation: swapping out lowers demand, and the guest is taken from."""
    thrashing = asked(Guest(min_mib=100, available_mib=900, swap_out_mib_s=50.0))
    assert thrashing.targets_mib()[0] < 2048
