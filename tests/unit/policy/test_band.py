"""``band``: used between 55 % and 65 %, the swap veto, and the hunting."""

import pytest

from aerostat.policy.band import used_percent
from aerostat.policy.params import PolicyName
from unit.policy.views import Asked, Guest, host


def using(percent: float, *, actual_mib: float = 4096, **other: object) -> Guest:
    sizes = {"min_mib": 1024, "max_mib": 65536, **other}
    return Guest(actual_mib=actual_mib, available_mib=actual_mib * (1 - percent / 100), **sizes)  # type: ignore[arg-type] # a test names real fields


def asked(guest: Guest) -> Asked:
    return Asked(PolicyName.BAND, guest)


def test_the_hop_lands_below_its_own_shrink_line() -> None:
    """The worked example: 4 GiB at 66 % gets 5.2 GiB, is then at 51 %, and is cut again."""
    band = asked(using(66.0))
    demand = 4096 * 0.66
    grown = band.obeyed(host(now_s=100.0))[0]
    assert grown == pytest.approx(5.2 * 1024)
    band.guests = [using(100 * demand / grown, actual_mib=grown)]
    assert used_percent(total_bytes=int(grown), available_bytes=int(grown - demand)) in (50, 51)
    assert band.obeyed(host(now_s=111.0))[0] < grown


@pytest.mark.parametrize(("percent", "factor"), [(65.0, 1.3), (60.0, 1.0), (55.0, 0.9)])
def test_the_lines_belong_to_the_moves(percent: float, factor: float) -> None:
    assert asked(using(percent)).targets_mib()[0] == pytest.approx(4096 * factor)


def test_percent_is_whole() -> None:
    assert used_percent(total_bytes=1000, available_bytes=441) == 55
    assert used_percent(total_bytes=0, available_bytes=0) == 0
    assert used_percent(total_bytes=100, available_bytes=200) == 0


def test_min_and_max_hold() -> None:
    assert asked(using(90.0, max_mib=4200)).targets_mib() == [4200]
    assert asked(using(10.0, min_mib=4000)).targets_mib() == [4000]
    assert asked(using(10.0, min_mib=5000, max_mib=4900)).targets_mib() == [4096]


def test_stale_figures_are_not_acted_on() -> None:
    assert asked(using(90.0, sample_age_s=12.5)).targets_mib() == [4096]
    assert asked(using(90.0, sample_age_s=None)).targets_mib() == [4096]


def test_a_sample_is_acted_on_once() -> None:
    band = asked(using(90.0))
    assert band.obeyed()[0] > 4096
    size = band.guests[0].actual_mib
    band.guests[0].is_new_sample = False
    assert band.targets_mib() == [size]


def test_shrinking_waits_after_a_move_and_growing_does_not() -> None:
    band = asked(using(40.0))
    cut = band.obeyed(host(now_s=100.0))[0]
    assert cut < 4096
    assert band.targets_mib(host(now_s=109.0)) == [cut]
    band.guests = [using(80.0, actual_mib=cut)]
    assert band.targets_mib(host(now_s=109.5))[0] > cut


def test_a_booting_guest_is_not_shrunk() -> None:
    band = asked(using(10.0, since_s=990.0))
    assert band.targets_mib(host(now_s=1009.0)) == [4096]
    assert band.targets_mib(host(now_s=1010.0))[0] < 4096


def test_a_guest_that_swaps_out_now_grows_whatever_it_uses() -> None:
    assert asked(using(20.0, swap_out_mib_s=1.0)).targets_mib()[0] == pytest.approx(4096 * 1.3)


def test_swapping_out_vetoes_shrinking_for_a_minute() -> None:
    band = asked(using(20.0, swap_out_mib_s=5.0, max_mib=4096))
    band.targets(host(now_s=100.0))
    band.guests = [using(20.0, swap_out_mib_s=0.0)]
    assert band.targets_mib(host(now_s=159.0)) == [4096]
    assert band.targets_mib(host(now_s=160.0))[0] < 4096


def test_one_sample_starts_one_veto() -> None:
    band = asked(using(60.0, swap_out_mib_s=5.0, max_mib=4096))
    band.targets(host(now_s=100.0))
    band.guests = [using(20.0, swap_out_mib_s=5.0, max_mib=4096, is_new_sample=False)]
    band.targets(host(now_s=150.0))
    band.guests = [using(20.0, swap_out_mib_s=0.0)]
    assert band.targets_mib(host(now_s=161.0))[0] < 4096


def test_without_swap_counters_a_thrashing_guest_is_shrunk() -> None:
    """Swapping out raises what is available; nothing else is looked at."""
    assert asked(using(50.0)).targets_mib()[0] < 4096


def test_it_asks_for_more_than_the_host_has() -> None:
    band = Asked(PolicyName.BAND, *[using(90.0) for _ in range(4)])
    assert sum(band.targets_mib(host(supply_mib=16384, available_mib=0))) > 16384
