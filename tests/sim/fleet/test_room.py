"""Columns that compiled rules make for themselves."""

from typing import Any

import numba
import pytest

from aerostat.policy import columns
from aerostat.sim.room import ENTRIES, STAND_INS

clear_room, filled, copied = (
    STAND_INS[columns.clear_room],
    STAND_INS[columns.filled],
    STAND_INS[columns.copied],
)


@pytest.fixture(scope="module")
def rule() -> Any:
    def decide(count: int) -> tuple[int, int, int]:
        clear_room()
        twos = filled(2, count)
        others = copied(twos)
        twos[0] = 5
        total = 0
        for i in range(len(others)):
            total += others[i]
        return total, twos[0], len(twos)

    njit: Any = numba.njit  # its stubs leave `_nrt` out
    return njit(error_model="numpy", _nrt=False)(decide)


def test_each_column_is_its_own(rule: Any) -> None:
    assert rule(4) == (8, 5, 4)


def test_what_was_made_before_is_gone_when_a_rule_is_asked_anew(rule: Any) -> None:
    assert {rule(ENTRIES // 2)[0] for _ in range(100)} == {ENTRIES}


def test_a_host_with_more_guests_than_there_is_room_for_is_refused(rule: Any) -> None:
    with pytest.raises(MemoryError, match="more guests on one host"):
        rule(ENTRIES // 2 + 1)
    assert rule(4) == (8, 5, 4)
