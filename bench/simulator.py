"""How fast fleets are simulated, in VM-ticks a second of one core's CPU time.

A plain world, which others can express, beside SimPy and numpy on identical inputs; the full fleet
with its physics under ``adaptive``, a day and thirty; and, with ``--large``, 20,000 hosts.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from plain_peers import with_numpy, with_simpy

import aerostat
from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.draw import Draw, drawn_world
from aerostat.sim.fleet.full.build import FullPhysics
from aerostat.sim.fleet.kinds import synthetic_fleet
from aerostat.sim.fleet.plain import plain_loop, plain_world
from aerostat.sim.fleet.plain_ticks import PlainWorld
from aerostat.sim.fleet.run import run_policy
from aerostat.sim.fleet.world import FleetWorld
from aerostat.units import MIB

GOALS = {"plain, aerostat": 1e8, "full physics, adaptive": 2e7}
GUESTS_A_HOST = 20
ALL_TECHNIQUES = FullPhysics(
    is_reporting=True, pool_ratio=0.2, scan_rate=20.0 * MIB, identical_ratio=0.1, other_ratio=0.05
)
"""Free page reporting, compression and merging, and a host with programs of its own."""


def main() -> int:
    """Run the arms and print them."""
    options = _options()
    arms = _plain_arms(options) + _full_arms(options)
    if options.large:
        arms.append(_large_arm())
    if options.output == "json":
        print(json.dumps(_document(options, arms), indent=1))
        return 0
    for arm in arms:
        goal = GOALS.get(arm["technique"])
        verdict = ""
        if goal is not None:
            reached = "reached" if arm["guest_ticks_per_s"] >= goal else "MISSED"
            verdict = f"  {reached} (goal {goal:.0e})"
        print(
            f"{arm['technique']:34} {arm['guests_simulated']:6} VMs {arm['ticks']:7} ticks "
            f"{arm['cpu_s']:8.2f} s CPU {arm['guest_ticks_per_s']:10.3g} VM-ticks/s"
            f"  peak {arm['memory_peak_bytes'] // MIB} MiB{verdict}"
        )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--vms", type=int, default=500)
    parser.add_argument("--days", type=float, nargs="+", default=[1.0, 30.0], help="full physics")
    parser.add_argument("--peer-hours", type=float, default=1.0, help="of the plain world")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="20,000 hosts, 40,000 VMs, a day")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    return parser.parse_args()


def _world(vms: int, days: float, guests_a_host: int, tick_s: float = 10.0) -> FleetWorld:
    # A day is drawn and repeated: the same demand however long the run.
    trace = synthetic_fleet("mixed", seed=1, vms=vms, days=min(days, 1.0))
    world = drawn_world(
        trace,
        Draw(seed=1, hosts=None, guests_a_host=guests_a_host),
        overcommit_ratio=3.0,
        tick_s=tick_s,
    )
    if days <= 1:
        return world
    return replace(world, demand_bytes=np.tile(world.demand_bytes, (round(days), 1)))


def _plain_arms(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The three models, interleaved, on identical inputs; their results must be the same."""
    world = _world(options.vms, options.peer_hours / 24, GUESTS_A_HOST)
    models: dict[str, Callable[[PlainWorld], None]] = {
        "plain, aerostat": plain_loop(),
        "plain, numpy": with_numpy,
        "plain, SimPy": with_simpy,
    }
    plain_loop()(plain_world(world))  # compiles
    spent: dict[str, list[float]] = {name: [] for name in models}
    lacked = set()
    for _ in range(options.repeats):
        for name, model in models.items():
            plain = plain_world(world)
            began_s = time.thread_time()
            model(plain)
            spent[name].append(time.thread_time() - began_s)
            lacked.add(np.asarray(plain.lacked_mib).tobytes())
    assert len(lacked) == 1, "the models disagree"
    return [_arm(name, world, statistics.median(spent[name])) for name in models]


def _full_arms(options: argparse.Namespace) -> list[dict[str, Any]]:
    arms = []
    for days in options.days:
        world = _world(options.vms, days, GUESTS_A_HOST)
        repeats = options.repeats if days <= 1 else 1
        worlds = {
            "full physics": replace(world, full=FullPhysics()),
            "full physics, all techniques": replace(world, full=ALL_TECHNIQUES),
            "simplified physics": world,
        }
        for name, one in worlds.items():
            spent = [run_policy(one, PolicyName.ADAPTIVE).cpu_s for _ in range(repeats)]
            arms.append(_arm(f"{name}, adaptive", one, statistics.median(spent)))
    return arms


def _large_arm() -> dict[str, Any]:
    began_s = time.perf_counter()
    # 2,000 VMs are drawn and stand there twenty times: drawing is not what is measured.
    drawn = _world(2_000, 1.0, 2, tick_s=60.0)
    world = replace(
        drawn,
        max_bytes=np.tile(drawn.max_bytes, 20),
        demand_bytes=np.tile(drawn.demand_bytes, (1, 20)),
    )
    outcome = run_policy(world, PolicyName.ADAPTIVE)
    arm = _arm("20,000 hosts, simplified, adaptive", world, outcome.cpu_s)
    return {**arm, "wall_s": time.perf_counter() - began_s}


def _arm(name: str, world: FleetWorld, cpu_s: float) -> dict[str, Any]:
    guests = len(world.max_bytes)
    return {
        "technique": name,
        "repeat": 0,
        "valid": True,
        "guests_simulated": guests,
        "ticks": world.ticks,
        "cpu_s": cpu_s,
        "guest_ticks_per_s": guests * world.ticks / cpu_s,
        "demand_bytes": world.demand_bytes.nbytes,
        "memory_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _document(options: argparse.Namespace, arms: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema": "aerostat.result/1",
        "aerostat": aerostat.__version__,
        "name": "bench-simulator",
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "accelerator": "simulated",
        "machine": {
            "cores": os.cpu_count() or 1,
            "kernel": os.uname().release,
            "load_1min": os.getloadavg()[0],
        },
        "world": {"fleet": "mixed", "seed": 1, "overcommit_ratio": 3.0, "vms": options.vms},
        "arms": arms,
    }


if __name__ == "__main__":
    sys.exit(main())
