"""``threshold``: MOM's two rules, its averages, and what they overlook."""

import pytest

from aerostat.policy.baseline import HostView
from aerostat.policy.columns import ABSENT
from aerostat.policy.params import PolicyName
from aerostat.policy.threshold import grown_bytes, host_free_ratio, shrunk_bytes
from unit.policy.views import Asked, Guest, host


def with_free(ratio: float) -> HostView:
    return host(total_mib=10_000, available_mib=ratio * 10_000)


def test_a_short_host_takes_five_percent_down_to_what_is_used() -> None:
    """The worked example: the floor would allow 2980, one step goes to 3800."""
    assert shrunk_bytes(actual=4000, used=2500.0, least=1000, host_ratio=0.12) == 3800


def test_a_needy_guest_jumps_in_one_go() -> None:
    """The worked example: 5 % would be 2100; what it uses and 20 % is 2300."""
    assert grown_bytes(actual=2000, used=1900.0, least=0, most=4096) == 2300


def test_both_examples_through_the_policy() -> None:
    shrinking = Asked(
        PolicyName.THRESHOLD, Guest(actual_mib=4000, free_mib=1500, min_mib=1000, max_mib=8000)
    )
    assert shrinking.targets_mib(with_free(0.12)) == [3800]
    growing = Asked(PolicyName.THRESHOLD, Guest(actual_mib=2000, free_mib=100, min_mib=0))
    assert growing.targets_mib(with_free(0.30)) == [2300]


def test_a_critical_host_pushes_guests_into_swap() -> None:
    """At 1 % free the guest is cut below what it uses."""
    size = shrunk_bytes(actual=1000, used=980.0, least=0, host_ratio=0.01)
    assert size == 950
    assert size < 980


def test_changes_of_a_quarter_percent_are_not_worth_it() -> None:
    assert grown_bytes(actual=4000, used=0.0, least=0, most=4010) == ABSENT
    assert grown_bytes(actual=4000, used=0.0, least=0, most=4011) == 4011


def test_min_holds_and_max_holds() -> None:
    assert shrunk_bytes(actual=1000, used=0.0, least=990, host_ratio=0.1) == 990
    assert grown_bytes(actual=1000, used=2000.0, least=0, most=1500) == 1500
    assert grown_bytes(actual=1500, used=2000.0, least=0, most=1500) == ABSENT


def test_a_guest_below_its_needs_is_not_grown_while_the_host_is_short() -> None:
    assert shrunk_bytes(actual=1000, used=1000.0, least=0, host_ratio=0.15) == ABSENT


def test_one_guest_without_a_min_stops_the_host() -> None:
    bad, good = Guest(min_mib=None), Guest(free_mib=10)
    assert Asked(PolicyName.THRESHOLD, good).targets_mib(with_free(0.5)) != [2048]
    assert Asked(PolicyName.THRESHOLD, good, bad).targets_mib(with_free(0.5)) == [2048, 2048]


def test_a_guest_without_statistics_is_passed_over() -> None:
    silent = Guest(free_mib=None, available_mib=None)
    targets = Asked(PolicyName.THRESHOLD, silent, Guest(free_mib=10)).targets_mib(with_free(0.5))
    assert targets[0] == 2048
    assert targets[1] > 2048


def test_averages_lag_behind_a_host_that_runs_short() -> None:
    asked = Asked(PolicyName.THRESHOLD, Guest(max_mib=100_000, free_mib=2000))
    for _ in range(5):
        asked.targets(with_free(0.9))
    rounds = 0
    while asked.targets_mib(with_free(0.0))[0] >= 2048:
        rounds += 1
    assert rounds == 3  # 30 s of a host without memory, and guests are still being grown


def test_only_the_window_counts() -> None:
    asked = Asked(PolicyName.THRESHOLD, Guest())
    asked.targets(with_free(1.0))
    for _ in range(4):
        asked.targets(with_free(0.1))
    assert asked.targets_mib(with_free(0.1))[0] == pytest.approx(2048 * 0.95)


def test_a_newcomer_does_not_void_the_hosts_history() -> None:
    asked = Asked(PolicyName.THRESHOLD, Guest(), Guest())
    for _ in range(5):
        asked.targets(with_free(0.9))
    fresh = asked.baseline.new_memory(2)
    for old, new in zip(asked.memory, fresh, strict=True):
        new[1] = old[1]
    asked.memory = fresh
    assert asked.targets_mib(with_free(0.0))[0] > 2048


def test_page_cache_counts_as_used() -> None:
    """The guest could spare all of its cache; it grows all the same."""
    cached = Guest(actual_mib=2000, available_mib=1800, free_mib=50, cache_mib=1750)
    assert Asked(PolicyName.THRESHOLD, cached).targets_mib(with_free(0.3))[0] == 2350


def test_the_hosts_page_cache_counts_as_free() -> None:
    """Guests in shared memory are page cache to the host: a full host looks empty."""
    full = host(total_mib=1000, available_mib=20, free_mib=10, cache_mib=900)
    assert host_free_ratio(full) == pytest.approx(0.91)


def test_without_the_hosts_figures_nothing_moves() -> None:
    asked = Asked(PolicyName.THRESHOLD, Guest(free_mib=10))
    assert asked.targets_mib(host(available_mib=None)) == [2048]
    assert asked.targets_mib(host(total_mib=0)) == [2048]
