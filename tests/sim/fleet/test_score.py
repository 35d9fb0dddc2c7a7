"""The scores of a fleet, against figures worked out by hand."""

import pytest

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.balloon import end_bytes
from aerostat.sim.fleet.columns import Fleet
from aerostat.sim.fleet.constants import DEFLATE_RATE, INFLATE_RATE
from aerostat.sim.fleet.physics import begin_tick, end_tick
from aerostat.sim.fleet.run import run_policy
from aerostat.sim.fleet.summary import summary_of
from aerostat.sim.fleet.world import fleet_of
from aerostat.units import GIB
from sim.fleet.fleet_worlds import world


def fleet(demand_gib: list[float]) -> Fleet:
    """One host with 8 GiB for two guests of 8 GiB, who hold 4 each at the start."""
    made = fleet_of(world([demand_gib]))
    made = made._replace(demand_bytes=[[int(d * GIB) for d in demand_gib]])
    begin_tick(made, 0)
    return made


def test_two_guests_by_hand() -> None:
    """One wants 6 and holds 4 of them, one wants 1: 2 GiB short for 10 s of 70 GiB s wanted."""
    f = fleet([6, 1])
    end_tick(f)
    assert f.guests.actual_bytes == [4 * GIB, 4 * GIB]
    assert f.guests.short_byte_s == [20 * GIB, 0]
    assert f.guests.wanted_byte_s == [60 * GIB, 10 * GIB]
    assert f.guests.distressed_s == [10, 0]
    assert f.guests.churn_bytes == [0, 0]
    assert f.guests.available_bytes == [0, 3 * GIB]
    assert f.hosts.below_reserve_s == [0]


def test_a_lack_that_is_made_good_within_the_tick_is_a_triangle() -> None:
    """2 GiB at 2.1 GiB/s: the lack falls to nothing in 2 / 2.1 s, half of it on average."""
    f = fleet([6, 1])
    f.guests.target_bytes[:] = [7 * GIB, 1 * GIB]
    end_tick(f)
    assert f.guests.actual_bytes == [7 * GIB, 1 * GIB]
    assert f.guests.short_byte_s[0] == pytest.approx(1 * GIB * 2 / 2.1)
    # In distress until 5.7 GiB, 95 % of what it wants, were reached.
    assert f.guests.distressed_s[0] == pytest.approx(1.7 / 2.1)
    assert f.guests.churn_bytes == [3 * GIB, 3 * GIB]


def test_a_lack_that_begins_within_the_tick_is_counted_from_then_on() -> None:
    """From 4 to 2 GiB at 0.9 GiB/s, 3 wanted: short after 1 / 0.9 s, by 1 GiB in the end."""
    f = fleet([3, 1])
    f.guests.target_bytes[:] = [2 * GIB, 4 * GIB]
    end_tick(f)
    falling = 0.5 * GIB / 0.9
    assert f.guests.short_byte_s[0] == pytest.approx(falling + GIB * (10 - 2 / 0.9))


def test_a_move_that_crosses_what_is_wanted_counts_only_below_it() -> None:
    """Growing from 4 to 8 while 5 are wanted: the lack is over after 1 / 2.1 s, not 4 / 2.1."""
    f = fleet([5, 1])
    f.guests.target_bytes[:] = [8 * GIB, 1 * GIB]
    end_tick(f)
    assert f.guests.short_byte_s[0] == pytest.approx(0.5 * GIB / 2.1)


def test_what_guests_use_beyond_the_host_is_short_as_well() -> None:
    """Both hold and use 5 of the host's 8 GiB: 2 GiB over, in equal parts, all the tick long."""
    f = fleet([5, 5])
    f.guests.actual_bytes[:] = [5 * GIB, 5 * GIB]
    f.guests.target_bytes[:] = [5 * GIB, 5 * GIB]
    end_tick(f)
    assert f.guests.short_byte_s == pytest.approx([10 * GIB, 10 * GIB])
    assert f.guests.distressed_s == [10, 10]
    assert f.hosts.below_reserve_s == [10]
    assert f.hosts.over_byte_s == [20 * GIB]


def test_a_balloon_gets_no_further_than_its_rate() -> None:
    f = fleet([1, 1])
    f.guests.actual_bytes[:] = [60 * GIB, 4 * GIB]
    f.guests.target_bytes[:] = [1 * GIB, 60 * GIB]
    assert end_bytes(f.guests, 0, 10.0) == 60 * GIB - int(INFLATE_RATE * 10)
    assert end_bytes(f.guests, 1, 10.0) == 4 * GIB + int(DEFLATE_RATE * 10)
    end_tick(f)
    assert f.guests.churn_bytes == [int(INFLATE_RATE * 10), int(DEFLATE_RATE * 10)]


def test_a_guest_that_lacks_memory_swaps_and_shows_nothing_available() -> None:
    """The counters go on while it lacks any, and what is out comes back at the swap's pace."""
    f = fleet([6, 1])
    end_tick(f)
    out, back = f.guests.swap_out_bytes[0], f.guests.swap_in_bytes[0]
    assert f.guests.swapped_bytes == [2 * GIB, 0]
    assert out > 0  # the 2 GiB were out from the start; what is read back pushes others out
    assert back > 0
    assert f.guests.stalled_s == [10, 0]
    f.guests.target_bytes[:] = [7 * GIB, 1 * GIB]
    end_tick(f)
    assert f.guests.swap_out_bytes[0] == out
    assert 0 < f.guests.swapped_bytes[0] < 2 * GIB
    assert f.guests.swap_in_bytes[0] - back == 2 * GIB - f.guests.swapped_bytes[0]
    assert f.guests.available_bytes == [1 * GIB, 0]


def test_static_never_moves_and_is_scored_as_by_hand() -> None:
    """5 minutes of (6, 1) and 5 of (1, 6) with 4 each: 2 of 7 GiB short all the time."""
    w = world([[6, 1], [1, 6]])
    summary = summary_of(w, run_policy(w, PolicyName.STATIC, is_compiled=False))
    assert summary.unmet_ratio == pytest.approx(2 / 7)
    assert summary.worst_unmet_ratio == pytest.approx(2 / 7)
    assert summary.distressed_s == 600
    assert summary.churn_bytes == 0
    assert summary.guest_s == 1200
    assert summary.guest_ticks == 120
