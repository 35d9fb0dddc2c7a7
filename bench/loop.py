"""What an hour of the daemon's loop costs in the simulator: four guests, on virtual time.

Quiet, and with a big hot set that moves every half minute. With ``--before`` the same hours are
played by another version in turn, each in a process of its own, so that whatever else runs hits
both. Prints one JSON document; only processor time counts.

Usage: python bench/loop.py [--hours N] [--repeats N] [--before SRC]

``--before``: the ``src`` of another version's work tree.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time

from aerostat.control.loop import Loop
from aerostat.engine.params import EngineParams
from aerostat.model.modes import Mode
from aerostat.ports.journal import RoundRecord
from aerostat.sim.constants import HostPhysics
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.virtual_time import SimClock, run_simulated
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

NAMES = ("ada", "bob", "cleo", "dan")
HOST_BYTES = 2400 * MIB
SMALL_BYTES, HOT_BYTES, BIG_BYTES = 60 * MIB, 80 * MIB, 300 * MIB
MOVES_EVERY_S = 30.0
HOUR_S = 3600.0
GOAL_S = 1.0


class _Counted:
    """A journal that counts rounds."""

    def __init__(self) -> None:
        self.rounds = 0

    def record(self, record: RoundRecord) -> None:
        del record
        self.rounds += 1


def lived(kind: str, hours: float) -> int:
    """Play; returns how many rounds there were."""

    async def main() -> int:
        world = World(
            [GuestSpec(name=name, load=Load(hot_bytes=HOT_BYTES)) for name in NAMES],
            host=HostPhysics(total_bytes=HOST_BYTES),
        )
        journal = _Counted()
        loop = Loop(
            driver=SimulatedDriver(world),
            sensor=SimulatedSensor(world.host),
            clock=SimClock(asyncio.get_running_loop()),
            params=EngineParams(),
            mode=Mode.ENFORCE,
            journal=journal,
        )
        async with asyncio.TaskGroup() as tasks:
            living = [tasks.create_task(world.run())]
            if kind == "busy":
                living.append(tasks.create_task(_moving(world)))
            balancing = tasks.create_task(loop.run())
            await asyncio.sleep(hours * HOUR_S)
            loop.request_stop()
            await balancing
            for task in living:
                task.cancel()
        return journal.rounds

    return run_simulated(main())


async def _moving(world: World) -> None:
    """One works on a big set, in turns."""
    turn = 0
    while True:
        for number, name in enumerate(NAMES):
            is_its_turn = number == turn % len(NAMES)
            world.guest(name).set_hot(BIG_BYTES if is_its_turn else SMALL_BYTES)
        turn += 1
        await asyncio.sleep(MOVES_EVERY_S)


def played(kind: str, hours: float, source: str | None) -> tuple[float, int]:
    """Processor time of one run by a version, in seconds, and its rounds."""
    environment = {**os.environ, **({} if source is None else {"PYTHONPATH": source})}
    command = [sys.executable, __file__, "--play", kind, "--hours", str(hours)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    cpu_s, rounds = json.loads(run.stdout)
    return cpu_s, rounds


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--before", metavar="SRC")
    parser.add_argument("--play", choices=("quiet", "busy"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play is not None:
        began_s = time.process_time()
        rounds = lived(arguments.play, arguments.hours)
        print(json.dumps([time.process_time() - began_s, rounds]))
        return
    versions = {"now": None} | ({} if arguments.before is None else {"before": arguments.before})
    spent: dict[tuple[str, str], list[float]] = {}
    rounds_of: dict[tuple[str, str], int] = {}
    for _ in range(arguments.repeats):
        for kind in ("quiet", "busy"):
            for name, source in versions.items():
                cpu_s, rounds_of[kind, name] = played(kind, arguments.hours, source)
                spent.setdefault((kind, name), []).append(cpu_s / arguments.hours)
    arms = [
        {
            "kind": kind,
            "version": name,
            "rounds": rounds_of[kind, name],
            "cpu_s_per_hour": round(statistics.median(each), 3),
            "all_cpu_s_per_hour": [round(one, 3) for one in each],
        }
        for (kind, name), each in spent.items()
    ]
    document = {
        "schema": "aerostat.bench.loop/1",
        "accelerator": "simulated",
        "machine": {"cores": os.cpu_count(), "kernel": os.uname().release},
        "goal_cpu_s_per_hour": GOAL_S,
        "arms": arms,
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
