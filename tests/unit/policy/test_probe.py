"""``probe``: senpai's two curves, its grace, and what it does not see."""

import pytest

from aerostat.policy.params import PolicyName
from aerostat.policy.probe import change_ratio
from unit.policy.views import Asked, Guest, host


def started(**other: object) -> Asked:
    sizes = {"min_mib": 512, "max_mib": 8192, "actual_mib": 4096, "pressure_some_s": 7.0, **other}
    asked = Asked(PolicyName.PROBE, Guest(**sizes))  # type: ignore[arg-type] # a test names real fields
    assert asked.obeyed(host(now_s=0.0)) == [4096]
    return asked


def stalled(asked: Asked, seconds: float) -> None:
    guest = asked.guests[0]
    assert guest.pressure_some_s is not None
    guest.pressure_some_s += seconds


def test_four_times_the_budget_backs_off_by_four_percent() -> None:
    """The worked example: 40 ms is (4 / 20) squared."""
    assert change_ratio(stalled_s=0.040, may_probe=True) == pytest.approx(0.04)
    asked = started()
    stalled(asked, 0.040)
    assert asked.targets_mib(host(now_s=1.0))[0] == pytest.approx(4096 * 1.04, rel=1e-5)


def test_back_off_is_full_at_twenty_times_the_budget() -> None:
    assert change_ratio(stalled_s=0.2, may_probe=False) == pytest.approx(1.0)
    assert change_ratio(stalled_s=5.0, may_probe=False) == 1.0


def test_a_probe_is_full_at_a_tenth_of_the_budget() -> None:
    assert change_ratio(stalled_s=0.0, may_probe=True) == -0.01
    assert change_ratio(stalled_s=0.001, may_probe=True) == pytest.approx(-0.01)
    assert change_ratio(stalled_s=0.010, may_probe=True) == pytest.approx(-0.0001)
    assert change_ratio(stalled_s=0.0, may_probe=False) == 0.0


def test_it_probes_every_six_seconds() -> None:
    asked = started()
    moved_at = []
    for now_s in range(1, 19):
        before = asked.guests[0].actual_mib
        if asked.obeyed(host(now_s=float(now_s)))[0] != before:
            moved_at.append(now_s)
    assert moved_at == [6, 12, 18]


def test_stall_adds_up_until_the_next_move() -> None:
    asked = started()
    for now_s in (1.0, 2.0):
        stalled(asked, 0.004)
        assert asked.obeyed(host(now_s=now_s)) == [4096]
    stalled(asked, 0.004)
    assert asked.obeyed(host(now_s=3.0))[0] > 4096


def test_sizes_are_whole_pages_within_the_bounds() -> None:
    asked = started()
    for now_s in range(6, 6000, 6):
        size_mib = asked.obeyed(host(now_s=float(now_s)))[0]
        assert size_mib * 256 == int(size_mib * 256)
    assert asked.guests[0].actual_mib == 512  # an idle guest is drained to its floor


def test_a_size_somebody_else_set_makes_it_start_from_what_is_held() -> None:
    asked = started()
    asked.guests[0].ordered_mib = 6000
    asked.guests[0].actual_mib = 5000
    assert asked.targets_mib(host(now_s=6.0)) == [5000]


def test_a_counter_that_went_back_is_no_stall() -> None:
    asked = started()
    asked.guests[0].pressure_some_s = 0.0
    assert asked.targets_mib(host(now_s=1.0)) == [4096]
    stalled(asked, 0.040)
    assert asked.targets_mib(host(now_s=2.0))[0] > 4096


def test_a_guest_without_pressure_is_left_alone() -> None:
    asked = Asked(PolicyName.PROBE, Guest(pressure_some_s=None))
    for now_s in range(20):
        assert asked.targets_mib(host(now_s=float(now_s))) == [2048]


def test_it_begins_within_the_bounds() -> None:
    asked = Asked(PolicyName.PROBE, Guest(min_mib=3000, actual_mib=2048, pressure_some_s=0.0))
    assert asked.targets_mib(host(now_s=0.0)) == [3000]
