"""``slack``: everything is handed out, by what each could still take."""

import pytest

from aerostat.policy.params import PolicyName
from aerostat.policy.slack import pour
from unit.policy.views import Asked, Guest, host


def asked(*guests: Guest) -> Asked:
    return Asked(PolicyName.SLACK, *guests)


def test_slack_goes_by_the_distance_to_max() -> None:
    """Used 1000 and 1000 of 4000; distances 1000 and 3000 share the 2000 as 1 to 3."""
    small = Guest(min_mib=0, max_mib=2000, actual_mib=2000, available_mib=1000)
    large = Guest(min_mib=0, max_mib=4000, actual_mib=2000, available_mib=1000)
    sizes = asked(small, large).targets_mib(host(supply_mib=4000))
    assert sizes == [pytest.approx(1500, abs=0.01), pytest.approx(2500, abs=0.01)]


def test_a_guest_at_its_limit_counts_with_four_times_its_max() -> None:
    """Distances 4 * 4000 and 3000 share 1000 of slack."""
    full = Guest(min_mib=0, max_mib=4000, actual_mib=1000, available_mib=0)
    calm = Guest(min_mib=0, max_mib=4000, actual_mib=2000, available_mib=1000)
    sizes = asked(full, calm).targets_mib(host(supply_mib=3000))
    assert sizes[0] == pytest.approx(1000 + 1000 * 16 / 19, abs=0.01)


def test_what_a_cap_leaves_over_goes_to_the_others() -> None:
    held = [0, 0]
    pour(held, [100, 10_000], [9_000, 1_000], slack=1000)
    assert held == [100, 900]


def test_nothing_is_poured_where_nobody_can_take() -> None:
    held = [100, 100]
    pour(held, [100, 200], [50, 0], slack=1000)
    assert held == [100, 100]


def test_all_slack_is_handed_out() -> None:
    guests = [Guest(min_mib=0, available_mib=500 * k) for k in range(1, 4)]
    assert sum(asked(*guests).targets_mib(host(supply_mib=7000))) == pytest.approx(7000, abs=0.01)


def test_where_not_even_what_is_used_fits_the_mins_come_first() -> None:
    big = Guest(min_mib=500, actual_mib=2000, available_mib=0)
    small = Guest(min_mib=500, actual_mib=800, available_mib=0)
    sizes = asked(big, small).targets_mib(host(supply_mib=1800))
    assert sizes[1] == 800
    assert sizes[0] == pytest.approx(1000, abs=0.1)


def test_a_silent_guest_keeps_what_it_has() -> None:
    sizes = asked(Guest(available_mib=None), Guest(min_mib=0)).targets_mib(host(supply_mib=3000))
    assert sizes[0] == 2048
    assert sizes[1] == pytest.approx(3000 - 2048, abs=0.1)


def test_a_guest_that_swapped_out_looks_as_if_it_used_less() -> None:
    at = host(supply_mib=4096)
    honest = asked(Guest(available_mib=200), Guest(available_mib=200)).targets(at)
    swapped = asked(Guest(available_mib=900, swap_out_mib_s=50.0), Guest(available_mib=200))
    assert swapped.targets(at)[0] < honest[0]
