"""How long one interpreted ``step`` takes: 50 guests and 1,000, over a world that moves.

The calibrating loop runs beside it, so that figures of different machines, or of a busy one, can
be compared: a ratio says how many times as long a step takes as so many turns of plain Python.
"""

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aerostat
from aerostat.engine.params import EngineParams, HostParams
from aerostat.engine.state import EngineState
from aerostat.engine.step import Step, step
from aerostat.model.events import Event, Outcome, TargetAnswered
from aerostat.model.figures import BalloonStatistics, VmFootprint
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.host import HostMemory, HostSnapshot
from aerostat.units import MIB

GOAL_S = {50: 0.003, 1000: 0.050}
WALL_S = 1_790_000_000.0
CALIBRATION_TURNS = 20_000
MAX_MIB = 2048
BUDGET_RATIO = 0.5


@dataclass(kw_only=True)
class Guest:
    """What it holds and wants, in MiB."""

    name: str
    actual_mib: float
    used_mib: float
    swapped_mib: float = 0.0


class World:
    """Guests whose use wanders and at times jumps, on a host with half of what they could use."""

    def __init__(self, count: int) -> None:
        self.draw = random.Random(count)
        self.guests = [
            Guest(name=f"g{n:05}", actual_mib=MAX_MIB / 2, used_mib=self.draw.uniform(200, 900))
            for n in range(count)
        ]
        self.params = EngineParams(
            host=HostParams(budget_bytes=int(count * MAX_MIB * MIB * BUDGET_RATIO))
        )
        self.now_s = 1000.0
        self.state = EngineState()
        self.events: list[Event] = []

    def snapshot(self) -> HostSnapshot:
        """The world a second on."""
        self.now_s += 1.0
        for guest in self.guests:
            jump = self.draw.choice((-400, 400)) if self.draw.random() < 0.02 else 0
            wandered = guest.used_mib + self.draw.gauss(0, 5) + jump
            guest.used_mib = min(max(wandered, 100), MAX_MIB - 100)
            guest.swapped_mib += max(0.0, guest.used_mib - guest.actual_mib)
        wall_s = WALL_S + self.now_s
        room = len(self.guests) * MAX_MIB * MIB
        return HostSnapshot(
            now_s=self.now_s,
            wall_s=wall_s,
            memory=HostMemory(
                total_bytes=room,
                available_bytes=room // 2,
                free_bytes=room // 2,
                cache_bytes=0,
                swap_total_bytes=0,
                swap_free_bytes=0,
            ),
            guests=tuple(_snapshot(guest, wall_s) for guest in self.guests),
        )

    def follow(self, done: Step) -> None:
        """Accept every target, and be there by the next round."""
        rows = {guest.name: guest for guest in self.guests}
        self.state = done.state
        self.events = []
        for change in done.plan.changes:
            rows[change.guest].actual_mib = change.target_bytes // MIB
            self.events.append(
                TargetAnswered(
                    guest=change.guest,
                    target_bytes=change.target_bytes,
                    outcome=Outcome.ACCEPTED,
                )
            )


def _snapshot(guest: Guest, wall_s: float) -> GuestSnapshot:
    available = int(max(0.0, guest.actual_mib - guest.used_mib) * MIB)
    return GuestSnapshot(
        guest=GuestId(guest.name),
        name=guest.name,
        run_state=RunState.RUNNING,
        max_bytes=MAX_MIB * MIB,
        actual_bytes=int(guest.actual_mib * MIB),
        has_balloon=True,
        statistics=BalloonStatistics(
            sampled_wall_s=wall_s,
            age_s=0.2,
            total_bytes=MAX_MIB * MIB,
            available_bytes=available,
            free_bytes=available // 2,
            cache_bytes=available // 2,
            swap_in_bytes=int(guest.swapped_mib * MIB),
            swap_out_bytes=int(guest.swapped_mib * MIB),
            major_faults=0,
        ),
        footprint=VmFootprint(
            age_s=0.0,
            cgroup_bytes=int((guest.actual_mib + 80) * MIB),
            swap_bytes=0,
            swap_in_bytes=0,
            major_faults=0,
            pressure_some_total_s=0.0,
            pressure_full_total_s=0.0,
            limit_hits=0,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Rounds over so many guests."""

    guests: int
    step_s: tuple[float, ...]
    cpu_s: float  # median of CPU time: on a busy machine the truer figure
    calibration_s: float  # median CPU time of loops run between the rounds
    commands: int

    @property
    def median_s(self) -> float:
        """Half of the rounds took longer."""
        return statistics.median(self.step_s)

    @property
    def p95_s(self) -> float:
        """One round in twenty took longer."""
        return sorted(self.step_s)[int(0.95 * len(self.step_s))]


def timing(count: int, rounds: int) -> Timing:
    """Time rounds of the engine, each followed by a calibrating loop."""
    world = World(count)
    steps: list[float] = []
    cpu: list[float] = []
    loops: list[float] = []
    commands = 0
    for _ in range(rounds):
        snapshot = world.snapshot()
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        done = step(world.state, snapshot, world.events, world.params)
        cpu.append(time.thread_time() - began_cpu_s)
        steps.append(time.perf_counter() - began_s)
        world.follow(done)
        commands += len(done.plan.changes)
        began_cpu_s = time.thread_time()
        calibrate()
        loops.append(time.thread_time() - began_cpu_s)
    assert commands > 0, "a world in which nothing has to be decided"
    return Timing(
        guests=count,
        step_s=tuple(steps),
        cpu_s=statistics.median(cpu),
        calibration_s=statistics.median(loops),
        commands=commands,
    )


def calibrate() -> int:
    """Plain Python of the engine's kind: indexing, comparing and adding over a list."""
    column = [3] * 100
    total = 0
    for turn in range(CALIBRATION_TURNS):
        i = turn % 100
        if column[i] < turn:
            total += min(column[i], turn)
    return total


def main() -> int:
    """Time all sizes and print them."""
    parser = argparse.ArgumentParser(description="How long one interpreted step takes.")
    parser.add_argument("--guests", type=int, nargs="+", default=[50, 1000])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    timings = [timing(count, options.rounds) for count in options.guests]
    print(json.dumps(_document(timings), indent=1) if options.output == "json" else _table(timings))
    return 0


def _table(timings: Sequence[Timing]) -> str:
    lines = [
        f"one interpreted step, Python {platform.python_version()}",
        " guests  median ms   p95 ms  cpu ms  us/guest  x loop  commands  goal ms",
    ]
    for row in timings:
        goal_s = GOAL_S.get(row.guests)
        verdict = "" if goal_s is None else "reached" if row.median_s < goal_s else "MISSED"
        goal = "-" if goal_s is None else f"{goal_s * 1e3:g}"
        loops = row.cpu_s / row.calibration_s
        lines.append(
            f"{row.guests:7} {row.median_s * 1e3:10.2f} {row.p95_s * 1e3:8.2f} "
            f"{row.cpu_s * 1e3:7.2f} {row.median_s / row.guests * 1e6:9.1f} {loops:7.2f} "
            f"{row.commands / len(row.step_s):9.1f} {goal:>8} {verdict}"
        )
    lines.append(f"x loop: CPU time over that of {CALIBRATION_TURNS} turns of plain Python")
    return "\n".join(lines)


def _document(timings: Sequence[Timing]) -> dict[str, Any]:
    return {
        "schema": "aerostat.bench-engine/1",
        "aerostat": aerostat.__version__,
        "name": "bench-engine",
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": {
            "cores": os.cpu_count() or 1,
            "kernel": os.uname().release,
            "python": platform.python_version(),
        },
        "world": {"max_bytes": MAX_MIB * MIB, "budget_ratio": BUDGET_RATIO, "round_s": 1.0},
        "arms": [
            {
                "guests": row.guests,
                "rounds": len(row.step_s),
                "step_median_s": row.median_s,
                "step_p95_s": row.p95_s,
                "step_cpu_median_s": row.cpu_s,
                "calibration_s": row.calibration_s,
                "loops_per_step": row.cpu_s / row.calibration_s,
                "commands_per_step": row.commands / len(row.step_s),
                "goal_s": GOAL_S.get(row.guests),
            }
            for row in timings
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
