"""What the API costs: a real daemon on 200 fake QEMUs, asked 100 times a second.

Arms are interleaved: quiet and asked seconds take turns, so that whatever else runs hits both.
Prints one JSON document. Usage: python bench/api.py [--guests N] [--turns N] [--rate N]
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from aerostat.sim.constants import HostPhysics
from aerostat.sim.guest_state import Load
from aerostat.sim.qemu import Machines
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

TURN_S = 5.0
PATHS = ("/v1/state", "/v1/host", "/v1/guests/vm-007", "/v1/guests/vm-042/explanation",
         "/v1/guests/vm-042/history", "/metrics", "/v1/sparklines")  # fmt: skip


def live(folder: str, count: int) -> None:
    """The VMs: a process of its own."""

    async def main() -> None:
        load = Load(hot_bytes=80 * MIB, heap_bytes=350 * MIB)
        names = [f"vm-{number:03}" for number in range(count)]
        ram = HostPhysics(total_bytes=count * 400 * MIB)
        world = World([GuestSpec(name=name, load=load) for name in names], host=ram, step_s=0.5)
        async with Machines(world, Path(folder)):
            await world.run()

    asyncio.run(main())


def cpu_s(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def turn(socket: str, rate: float, draw: random.Random) -> list[float]:
    """Ask for one turn; the latencies in seconds, in no order."""
    transport = httpx.AsyncHTTPTransport(uds=socket)
    took: list[float] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://a", timeout=10) as client:

        async def one(path: str) -> None:
            began = time.perf_counter()
            (await client.get(path)).raise_for_status()
            took.append(time.perf_counter() - began)

        async with asyncio.TaskGroup() as tasks:
            began = time.monotonic()
            for number in range(int(rate * TURN_S)):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                tasks.create_task(one(draw.choice(PATHS)))
    return took


def lag_s(socket: str) -> float:
    """How late the last round began."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url="http://a") as client:
        found = re.search(r"^aerostat_loop_lag_seconds (\S+)$", client.get("/metrics").text, re.M)
        return float(found[1]) if found else 0.0


def quantile(values: list[float], share: float) -> float:
    """The value below which so much of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measured(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Start everything, take turns, and say what it came to."""
    socket = str(folder / "api.sock")
    sockets = f"{folder}/*.qmp"
    run = ("run", "--qmp", sockets, "--mode", "enforce")
    command = [sys.executable, "-m", "aerostat", *run]
    environment = {**os.environ, "AEROSTAT_STATE": str(folder)}
    draw = random.Random(1)
    took: list[float] = []
    cpu: dict[str, list[float]] = {"quiet": [], "asked": []}
    lags: dict[str, list[float]] = {"quiet": [], "asked": []}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as daemon:
        try:
            time.sleep(30)  # it finds them, and takes what lies free
            for _ in range(arguments.turns):
                for arm in ("quiet", "asked"):
                    before, began = cpu_s(daemon.pid), time.monotonic()
                    if arm == "asked":
                        took += asyncio.run(turn(socket, arguments.rate, draw))
                    time.sleep(max(0.0, began + TURN_S - time.monotonic()))
                    used = cpu_s(daemon.pid) - before
                    cpu[arm].append(used / (time.monotonic() - began))
                    lags[arm].append(lag_s(socket))
            resident = Path(f"/proc/{daemon.pid}/status").read_text()
        finally:
            daemon.terminate()
    rss = re.search(r"VmRSS:\s+(\d+) kB", resident)
    return {
        "schema": "aerostat.bench.api/1",
        "accelerator": "simulated",
        "machine": {"cores": os.cpu_count(), "kernel": os.uname().release},
        "world": {"guests": arguments.guests, "requests_per_s": arguments.rate, "seed": 1},
        "requests": len(took),
        "latency_p50_s": round(quantile(took, 0.5), 4),
        "latency_p99_s": round(quantile(took, 0.99), 4),
        "daemon_core_ratio": {arm: round(sum(v) / len(v), 4) for arm, v in cpu.items()},
        "loop_lag_s": {arm: round(max(v), 4) for arm, v in lags.items()},
        "daemon_resident_bytes": 1024 * int(rss[1]) if rss else None,
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", type=int, default=200)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--rate", type=float, default=100.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        machines = multiprocessing.get_context("spawn").Process(
            target=live, args=(folder, arguments.guests), daemon=True
        )
        machines.start()
        try:
            time.sleep(5)
            print(json.dumps(measured(Path(folder), arguments), indent=2))
        finally:
            machines.terminate()


if __name__ == "__main__":
    main()
