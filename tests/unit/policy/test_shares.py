"""``shares``: the allocator's numbers to the byte, and the faults it is known for."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.policy.columns import ABSENT
from aerostat.policy.params import PolicyName
from aerostat.policy.shares import Machines, allocate, balance_goal, spread
from aerostat.units import MIB
from unit.policy.views import Asked, Guest, host

RECORDED = Path(__file__).parent / "shares_recorded.json"
"""Random cases with the answers of the original allocator (numbers alone, none of its text)."""


def machines(*rows: tuple[int, int, int, int, int], locked: int = 0) -> Machines:
    """Rows of actual, min, max, shares and free; sizes in MiB."""
    columns = [[row[k] for row in rows] for k in range(5)]
    sizes = [[v if v == ABSENT else v * MIB for v in columns[k]] for k in (0, 1, 2, 4)]
    return Machines(
        actual_bytes=sizes[0],
        min_bytes=sizes[1],
        max_bytes=sizes[2],
        shares=columns[3],
        free_bytes=sizes[3],
        is_locked=[locked] * len(rows),
    )


def allocated(given_machines: Machines, goal_mib: int) -> list[float | None]:
    tentative = [0] * len(given_machines.actual_bytes)
    allocate(given_machines, tentative, goal_bytes=goal_mib * MIB)
    return [None if size == ABSENT else size / MIB for size in tentative]


@pytest.mark.parametrize("case", json.loads(RECORDED.read_text()))
def test_it_answers_as_the_original_does(case: dict[str, list[list[int]]]) -> None:
    columns = [list(column) for column in zip(*case["guests"], strict=True)]
    [[total, used, percent]] = case["host"]
    goal = balance_goal(total_bytes=total, used_bytes=used, target_percent=percent)
    tentative = [0] * len(case["guests"])
    allocate(Machines(*columns), tentative, goal_bytes=goal)
    assert [goal, *tentative] == case["expected"][0]


def test_a_goal_to_grow_may_shrink_a_guest() -> None:
    """The worked example: A gets its 100 MiB, B loses 34 although memory is to be given."""
    both = machines((1536, 1024, 6144, 3000, 40), (1280, 1024, 6144, 1000, 60))
    assert allocated(both, 120) == [1636, 1246]


def test_a_goal_to_grow_may_end_in_a_net_shrink() -> None:
    """Everybody moves by a step at most: a heavy guest gains one, two light ones lose one."""
    light = (3000, 512, 6144, 100, 0)
    assert allocated(machines((1024, 512, 9000, 50_000, 0), light, light), 20) == [1124, 2900, 2900]


def test_the_goal_is_what_is_missing_to_four_fifths() -> None:
    assert balance_goal(total_bytes=32 * 10**9, used_bytes=16 * 10**9) == 96 * 10**8
    assert balance_goal(total_bytes=1001, used_bytes=1000) == -199  # cut towards zero


@pytest.mark.parametrize("goal_mib", [-10, 0, 10])
def test_small_goals_are_left_alone(goal_mib: int) -> None:
    assert allocated(machines((1024, 512, 4096, 1000, 0)), goal_mib) == [None]


def test_the_poor_are_given_to_first() -> None:
    poor, rich = (1024, 1024, 4096, 1000, 10), (1024, 1024, 4096, 1000, 900)
    assert allocated(machines(poor, rich), 80) == [1104, None]


def test_the_rich_are_taken_from_first() -> None:
    poor, rich = (2048, 1024, 4096, 1000, 10), (2048, 1024, 4096, 1000, 900)
    assert allocated(machines(poor, rich), -80) == [None, 1968]


def test_page_cache_reads_as_need() -> None:
    """Both could spare 900 MiB; the one that keeps files in it is called poor and is served."""
    asked = Asked(
        PolicyName.SHARES,
        Guest(actual_mib=1024, available_mib=900, free_mib=20),
        Guest(actual_mib=1024, available_mib=900, free_mib=900),
    )
    targets = asked.targets_mib(host(total_mib=8192, available_mib=1738.4))
    assert targets[0] > 1024
    assert targets[1] == 1024


def test_a_guest_without_statistics_counts_as_poor() -> None:
    silent, rich = (1024, 1024, 4096, 1000, ABSENT), (1024, 1024, 4096, 1000, 900)
    assert allocated(machines(silent, rich), 80) == [1104, None]


def test_when_the_rich_are_exhausted_the_starving_are_shrunk() -> None:
    starving, rich_at_min = (2048, 1024, 4096, 1000, 0), (1024, 1024, 4096, 1000, 900)
    assert allocated(machines(starving, rich_at_min), -500) == [1948, None]


def test_it_takes_many_rounds_to_help_a_guest_held_low() -> None:
    """100 MiB a round, whatever the emergency."""
    asked = Asked(PolicyName.SHARES, Guest(max_mib=16384, actual_mib=4096, available_mib=0))
    rich_host = host(total_mib=65536, available_mib=50000)
    for expected in (4196, 4296, 4396):
        assert asked.obeyed(rich_host) == [expected]


@pytest.mark.parametrize(
    "row",
    [
        (0, 512, 4096, 1000, 0),  # driver not alive
        (1024, 0, 4096, 1000, 0),  # no min
        (1024, ABSENT, 4096, 1000, 0),
        (1024, 512, 4096, 0, 0),  # opted out
        (1024, 512, ABSENT, 1000, 0),
    ],
)
def test_who_is_not_eligible_is_left_alone(row: tuple[int, int, int, int, int]) -> None:
    assert allocated(machines(row), 500) == [None]


def test_a_guest_being_migrated_is_left_alone() -> None:
    assert allocated(machines((1024, 512, 4096, 1000, 0), locked=1), 500) == [None]


def test_missing_shares_count_as_a_thousand() -> None:
    pair = machines((1024, 1024, 4096, ABSENT, 0), (1024, 1024, 4096, 1000, 0))
    assert allocated(pair, 60) == [1054, 1054]


def test_a_max_below_min_wins() -> None:
    assert allocated(machines((512, 1024, 600, 1000, 0)), 500) == [600]


def test_what_a_max_leaves_over_is_not_dealt_to_others() -> None:
    """One that still moves stays in the pool with its full entitlement: 20 of 60 go to nobody."""
    pair = machines((1000, 512, 1010, 1000, 0), (1000, 512, 4096, 1000, 0))
    tentative = [ABSENT, ABSENT]
    left = spread(pair, [1, 1], tentative, amount=60 * MIB, step_bytes_max=100 * MIB)
    assert tentative == [1010 * MIB, 1030 * MIB]
    assert left == 20 * MIB


def test_who_is_where_it_should_be_drops_out_and_the_rest_is_dealt_again() -> None:
    pair = machines((1010, 512, 1010, 1000, 0), (1000, 512, 4096, 1000, 0))
    tentative = [ABSENT, ABSENT]
    left = spread(pair, [1, 1], tentative, amount=60 * MIB, step_bytes_max=100 * MIB)
    assert tentative == [ABSENT, 1060 * MIB]
    assert left == 0


def test_without_the_hosts_figures_nothing_moves() -> None:
    asked = Asked(PolicyName.SHARES, Guest())
    assert asked.targets_mib(host(available_mib=None)) == [2048]
    assert asked.targets_mib(host(total_mib=None)) == [2048]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 8192),
        st.integers(0, 4096),
        st.integers(1, 8192),
        st.sampled_from([ABSENT, 0, 1, 1000, 50_000]),
        st.sampled_from([ABSENT, 0, 100, 4000]),
    ),
    max_size=6,
)


@given(ROWS, st.integers(-2000, 2000))
def test_no_guest_moves_by_more_than_a_step(
    rows: list[tuple[int, int, int, int, int]], goal_mib: int
) -> None:
    table = machines(*rows)
    tentative = [0] * len(rows)
    left = allocate(table, tentative, goal_bytes=goal_mib * MIB)
    moved = [s - a for s, a in zip(tentative, table.actual_bytes, strict=True) if s != ABSENT]
    assert all(0 < abs(change) <= 100 * MIB for change in moved)
    assert left == goal_mib * MIB - sum(moved)
