"""Waiting for machines: always for a condition, always with a deadline."""

import asyncio
import time
from collections.abc import Callable

from aerostat.lab.machine import HealthState, Machine
from aerostat.lab.recording import WorkloadSample
from deadlines import PATIENCE_S

BOOT_S = PATIENCE_S


async def next_sample(
    machine: Machine, condition: Callable[[WorkloadSample], bool], *, deadline_s: float = PATIENCE_S
) -> WorkloadSample:
    """Take samples until one is as wanted; a failure says what the last one was."""
    last: WorkloadSample | None = None
    try:
        async with asyncio.timeout(deadline_s):
            async for last in machine.samples():
                if condition(last):
                    return last
    except TimeoutError:
        pass
    raise AssertionError(f"no such sample in {deadline_s} s; {machine.health}; the last: {last}")


async def until_health(
    machine: Machine, state: HealthState, *, deadline_s: float = PATIENCE_S
) -> list[HealthState]:
    """Wait for a state of health; return the states passed on the way, that one included."""
    seen: list[HealthState] = []
    give_up_s = time.monotonic() + deadline_s
    while True:
        now = machine.health.state
        if not seen or seen[-1] != now:
            seen.append(now)
        if now == state:
            return seen
        assert time.monotonic() < give_up_s, f"not {state}, but {machine.health} after {seen}"
        await asyncio.sleep(0.05)
