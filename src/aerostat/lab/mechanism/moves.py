"""Moves a balloon of one real guest, and watches what that takes."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aerostat.lab.machine import Machine
from aerostat.lab.mechanism.found import Move
from aerostat.lab.recording import WorkloadSample
from aerostat.units import MIB

RAM_BYTES = 768 * MIB
MOVE_BYTES = 384 * MIB
SMALL_BYTES = 64 * MIB
BIG_BYTES = SMALL_BYTES + MOVE_BYTES + 32 * MIB
LOOK_S = 0.01
DEADLINE_S = 30.0
REACHED_RATIO = 0.99
AFTER_S = 1.0
"""The host is looked at so long after a move, and the workload's seconds counted."""
_COMMAND_S = 10.0


@dataclass(slots=True)
class MoveProbe:
    """One guest whose workload goes on meanwhile."""

    machine: Machine
    huge_pages: bool

    async def run(self, repeats: int) -> list[Move]:
        """Inflate and deflate over memory that was never touched, then over memory that was."""
        found = await self._there_and_back(touched=False, repeat=1)  # there is only one first time
        for repeat in range(1, repeats + 1):
            await self._use_and_free()
            found += await self._there_and_back(touched=True, repeat=repeat)
        return found

    async def _there_and_back(self, *, touched: bool, repeat: int) -> list[Move]:
        inflated = await self._move(RAM_BYTES - MOVE_BYTES, touched=touched, repeat=repeat)
        deflated = await self._move(RAM_BYTES, touched=touched, repeat=repeat)
        return [inflated, deflated]

    async def _move(self, target_bytes: int, *, touched: bool, repeat: int) -> Move:
        first, held = await self._actual(), self.machine.cgroup_usage_bytes()
        self._drain()
        cpu_s, began_s = self.machine.cpu_s(), time.monotonic()
        await self._execute("balloon", value=target_bytes)
        way = target_bytes - first
        took_s, actual = None, first
        while time.monotonic() - began_s < DEADLINE_S and took_s is None:
            actual = await self._actual()
            if abs(actual - first) >= REACHED_RATIO * abs(way):
                took_s = time.monotonic() - began_s
            await asyncio.sleep(LOOK_S)
        spent = _less(self.machine.cpu_s(), cpu_s)
        await asyncio.sleep(AFTER_S)
        now = self.machine.cgroup_usage_bytes()
        seconds = self._drain()
        return Move(
            huge_pages=self.huge_pages,
            touched=touched,
            direction="inflate" if way < 0 else "deflate",
            repeat=repeat,
            asked_bytes=abs(way),
            moved_bytes=abs(actual - first),
            took_s=took_s,
            host_freed_bytes=None if held is None or now is None else held - now,
            vm_cpu_s=spent,
            offered=sum(second.offered for second in seconds) if seconds else None,
            lost=sum(max(0, s.offered - s.served) for s in seconds) if seconds else None,
        )

    async def _use_and_free(self) -> None:
        for size in (BIG_BYTES, SMALL_BYTES):
            self.machine.send(f"hot {size}")
            give_up_s = time.monotonic() + DEADLINE_S
            while time.monotonic() < give_up_s and not self._has_touched(size):  # noqa: ASYNC110 # a guest tells nobody
                await asyncio.sleep(LOOK_S)
        await asyncio.sleep(AFTER_S)

    def _has_touched(self, hot_bytes: int) -> bool:
        latest = self.machine.latest
        if latest is None or latest.hot_bytes != hot_bytes:
            return False
        return hot_bytes == SMALL_BYTES or latest.heap_bytes >= REACHED_RATIO * hot_bytes

    def _drain(self) -> Sequence[WorkloadSample]:
        seconds = []
        while (sample := self.machine.take_sample()) is not None:
            seconds.append(sample)
        return seconds

    async def _actual(self) -> int:
        return int((await self._execute("query-balloon"))["actual"])

    async def _execute(self, command: str, **arguments: object) -> dict[str, int]:
        done: Any = await self.machine.monitor.execute(command, arguments, deadline_s=_COMMAND_S)
        return dict(done or {})


def _less(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before
