"""The limit follows the budget and the pools, in small steps, and is lifted at the end."""

import asyncio
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path

import pytest

from aerostat.lab.machine.cgroup import MemoryGroup
from aerostat.lab.techniques.budget import (
    FLOOR_RATIO,
    STEP_BYTES,
    LimitWriter,
    held_to,
    next_limit,
)
from aerostat.lab.techniques.host_memory import HostHeld
from aerostat.units import MIB

BUDGET = 1000 * MIB


def limits(start_mib: int, pool_mib: int, turns: int) -> list[int]:
    found = [start_mib * MIB]
    for _ in range(turns):
        found.append(next_limit(found[-1], BUDGET, pool_mib * MIB))
    return found


def test_it_comes_down_to_the_budget_within_seconds_and_stays() -> None:
    found = limits(1600, pool_mib=0, turns=12)
    assert found == sorted(found, reverse=True)
    assert found[-2:] == [BUDGET, BUDGET]


def test_a_pool_comes_off_in_small_steps_down_to_the_floor() -> None:
    found = limits(1000, pool_mib=900, turns=60)
    assert max(before - after for before, after in pairwise(found)) <= STEP_BYTES
    assert found[-1] == int(FLOOR_RATIO * BUDGET)


def test_a_pool_that_empties_gives_its_memory_back() -> None:
    down = limits(1000, pool_mib=200, turns=30)[-1]
    assert down == BUDGET - 200 * MIB
    assert next_limit(down, BUDGET, 0) == down + STEP_BYTES
    assert next_limit(BUDGET - 1, BUDGET, 0) == BUDGET


@pytest.mark.parametrize(("has_pool", "aim"), [(False, BUDGET), (True, int(0.97 * BUDGET))])
def test_no_limit_stays_behind(tmp_path: Path, has_pool: bool, aim: int) -> None:
    class Guests:
        def read(self) -> HostHeld:
            return HostHeld(charged_bytes=BUDGET, pool_bytes=0)

    file = tmp_path / "memory.limit_in_bytes"
    file.write_text("-1")

    def _held(group: MemoryGroup, writer: LimitWriter) -> AbstractAsyncContextManager[None]:
        return held_to(BUDGET, group, Guests(), writer, has_pool=has_pool)

    async def hold() -> None:
        group = MemoryGroup(path=tmp_path, version=1)
        writer = LimitWriter(group)
        async with asyncio.timeout(30), _held(group, writer):
            while file.read_text() != str(aim):  # noqa: ASYNC110 # a file tells nobody
                await asyncio.sleep(0.001)

    asyncio.run(hold())
    assert file.read_text() == "-1"
