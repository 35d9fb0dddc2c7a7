"""What others used of the machine's processors."""

import pytest

from aerostat.lab.foreign_load import CpuUse, foreign_cores, parse_busy_s

STAT = "cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 50 10 15 2000 250 3 3 4 0 0\n"


def test_busy_is_all_but_idle_and_waiting() -> None:
    assert parse_busy_s(STAT, ticks_per_s=100) == pytest.approx(1.71)


def test_what_others_used_is_the_rest() -> None:
    before, after = CpuUse(busy_s=100.0, ours_s=40.0), CpuUse(busy_s=115.0, ours_s=50.0)
    assert foreign_cores(before, after, 10.0) == pytest.approx(0.5)


def test_clocks_that_disagree_by_a_tick_are_no_negative_load() -> None:
    assert foreign_cores(CpuUse(busy_s=1.0, ours_s=0.0), CpuUse(busy_s=1.0, ours_s=0.1), 1.0) == 0
    assert foreign_cores(CpuUse(busy_s=1.0, ours_s=0.0), CpuUse(busy_s=2.0, ours_s=0.1), 0.0) == 0
