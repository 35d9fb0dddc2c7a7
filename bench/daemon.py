"""What the daemon costs: a real one on 200 fake QEMUs, left alone and asked 100 times a second.

Quiet and asked seconds take turns, and with ``--before`` two daemons do, so that whatever else runs
hits all of them; while one is asked the other is stopped. Only the daemon's own processor time
counts, not that of the fake QEMUs. Prints one JSON document.

Usage: python bench/daemon.py [--guests N] [--turns N] [--rate N] [--before SRC] [--page]

``--before``: the ``src`` of another version's work tree. ``--page``: the dashboard in Chromium.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from aerostat.sim.constants import HostPhysics
from aerostat.sim.guest_state import Load
from aerostat.sim.qemu import Machines
from aerostat.sim.world import GuestSpec, World
from aerostat.units import MIB

TURN_S = 5.0
SETTLE_S = 10.0
SETTLE_S_MAX = 300.0
"""It finds its guests, and takes what lies free: settled is who has ordered nothing for so long."""
RESUME_S = 2.0
TOKEN = "a-token-of-the-benchmark"  # noqa: S105 # of a daemon that lives for minutes
PATHS = ("/v1/state", "/v1/host", "/v1/guests/{vm}", "/v1/guests/{vm}/explanation",
         "/v1/guests/{vm}/history", "/metrics", "/v1/sparklines")  # fmt: skip


def live(folder: str, count: int) -> None:
    """The VMs: a process of its own."""

    async def main() -> None:
        load = Load(hot_bytes=80 * MIB, heap_bytes=350 * MIB)
        ram = HostPhysics(total_bytes=count * 400 * MIB)
        specs = [GuestSpec(name=_name(number), load=load) for number in range(count)]
        world = World(specs, host=ram, step_s=0.5)
        async with Machines(world, Path(folder)):
            await world.run()

    asyncio.run(main())


def _name(number: int) -> str:
    return f"vm-{number:03}"


def cpu_s(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Arm:
    """One version's daemon, and what was measured of it."""

    name: str
    folder: Path
    pid: int
    port: int
    cores: dict[str, list[float]] = field(default_factory=lambda: {"quiet": [], "asked": []})
    lags: dict[str, list[float]] = field(default_factory=lambda: {"quiet": [], "asked": []})
    took: list[float] = field(default_factory=list)

    @property
    def api(self) -> str:
        """Its Unix socket."""
        return str(self.folder / "api.sock")

    def document(self) -> dict[str, Any]:
        """As results have it."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        resident = re.search(r"VmRSS:\s+(\d+) kB", status)
        return {
            "version": self.name,
            "requests": len(self.took),
            "latency_p50_s": round(quantile(self.took, 0.5), 4),
            "latency_p99_s": round(quantile(self.took, 0.99), 4),
            "daemon_core_ratio": {k: round(statistics.fmean(v), 4) for k, v in self.cores.items()},
            "loop_lag_s": {kind: round(max(v), 4) for kind, v in self.lags.items()},
            "daemon_resident_bytes": 1024 * int(resident[1]) if resident else None,
        }


async def turn(api: str, rate: float, draw: random.Random, guests: int) -> list[float]:
    """Ask for one turn, of any guest; the latencies in seconds, in no order."""
    transport = httpx.AsyncHTTPTransport(uds=api)
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
                path = draw.choice(PATHS).format(vm=_name(draw.randrange(guests)))
                tasks.create_task(one(path))
    return took


def lag_s(api: str) -> float:
    """How late the last round began."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=api), base_url="http://a") as client:
        found = re.search(r"^aerostat_loop_lag_seconds (\S+)$", client.get("/metrics").text, re.M)
        return float(found[1]) if found else 0.0


def orders(api: str) -> float:
    """How many targets it has set so far."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=api), base_url="http://a") as client:
        found = re.findall(r"^aerostat_targets_total\S* (\S+)$", client.get("/metrics").text, re.M)
    return sum(map(float, found))


def settle(api: str) -> None:
    """Wait until it sets targets no more."""
    give_up_s = time.monotonic() + SETTLE_S_MAX
    time.sleep(SETTLE_S)
    before = -1.0
    while (now := orders(api)) != before:
        before = now
        if time.monotonic() > give_up_s:
            raise TimeoutError(f"it still sets targets after {SETTLE_S_MAX:.0f} s")
        time.sleep(SETTLE_S)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which so much of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@contextlib.contextmanager
def host(folder: Path, name: str, source: str | None, guests: int) -> Iterator[Arm]:
    """A host of its own for one version: fake QEMUs and a daemon."""
    machines = multiprocessing.get_context("spawn").Process(
        target=live, args=(str(folder), guests), daemon=True
    )
    machines.start()
    environment = {**os.environ, "AEROSTAT_STATE": str(folder)}
    if source is not None:
        environment["PYTHONPATH"] = source
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, settings = folder / "token", folder / "aerostat.toml"
    token.write_text(TOKEN)
    token.chmod(0o600)
    settings.write_text(f'[api]\nlisten = "127.0.0.1:{port}"\ntoken_file = "{token}"\n')
    run = ("run", "-c", str(settings), "--qmp", f"{folder}/*.qmp", "--mode", "enforce")
    command = [sys.executable, "-m", "aerostat", *run]
    try:
        time.sleep(5)
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as daemon:
            try:
                yield Arm(name=name, folder=folder, pid=daemon.pid, port=port)
            finally:
                daemon.send_signal(signal.SIGCONT)
                daemon.terminate()
    finally:
        machines.terminate()


@contextlib.contextmanager
def stopped(others: Sequence[Arm]) -> Iterator[None]:
    """The others do not run for the length of a block."""
    for other in others:
        os.kill(other.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other.pid, signal.SIGCONT)
        time.sleep(RESUME_S if others else 0)


def one_turn(arm: Arm, kind: str, arguments: argparse.Namespace, draw: random.Random) -> None:
    """Leave it alone, or ask it, and note what it cost."""
    before, began = cpu_s(arm.pid), time.monotonic()
    if kind == "asked":
        arm.took += asyncio.run(turn(arm.api, arguments.rate, draw, arguments.guests))
    time.sleep(max(0.0, began + TURN_S - time.monotonic()))
    arm.cores[kind].append((cpu_s(arm.pid) - before) / (time.monotonic() - began))
    arm.lags[kind].append(lag_s(arm.api))


def page_work(arm: Arm, guests: int) -> dict[str, float]:
    """How long the dashboard's main thread works for an update; the mean, and the longest task."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from api.browser import browser  # noqa: PLC0415 # needs Chromium

    def metrics() -> dict[str, float]:
        return {m["name"]: m["value"] for m in page.call("Performance.getMetrics")["metrics"]}

    with browser(arm.folder / "profile") as page:
        page.open(f"http://127.0.0.1:{arm.port}/", token=TOKEN)
        page.until(f"document.querySelectorAll('#guests tbody tr').length === {guests}", "VMs")
        page.call("Performance.enable")
        watch = "new PerformanceObserver(l => l.getEntries().forEach(e => longest(e.duration)))"
        page.run(
            "longest = (ms) => { window.longestTask = Math.max(window.longestTask || 0, ms) };"
            f"{watch}.observe({{type: 'longtask'}}); document.documentElement.dataset.slowest = '0'"
        )
        drawn, before = int(page.run("+document.documentElement.dataset.drawn")), metrics()
        time.sleep(15)
        updates, after = int(page.run("+document.documentElement.dataset.drawn")), metrics()
        slowest_ms = float(page.run("+document.documentElement.dataset.slowest"))
        longest_ms = float(page.run("window.longestTask || 0"))
    work_s = (after["TaskDuration"] - before["TaskDuration"]) / max(1, updates - drawn)
    return {
        "updates": updates - drawn,
        "main_thread_mean_s": round(work_s, 4),
        "slowest_draw_s": round(slowest_ms / 1000, 4),
        "longest_task_s": round(longest_ms / 1000, 4),  # of those over 50 ms; 0: there was none
    }


def measured(arms: Sequence[Arm], arguments: argparse.Namespace) -> dict[str, Any]:
    """Take turns, and say what it came to."""
    for arm in arms:
        settle(arm.api)
    draw = random.Random(1)
    for _ in range(arguments.turns):
        for kind in ("quiet", "asked"):
            for arm in draw.sample(arms, len(arms)):
                with stopped([other for other in arms if other is not arm]):
                    one_turn(arm, kind, arguments, draw)
    documents = [arm.document() for arm in arms]
    if arguments.page:
        documents[0]["page"] = page_work(arms[0], arguments.guests)
    return {
        "schema": "aerostat.bench.daemon/1",
        "accelerator": "simulated",
        "machine": {
            "cores": os.cpu_count(),
            "kernel": os.uname().release,
            "load": [round(load, 2) for load in os.getloadavg()],
        },
        "world": {"guests": arguments.guests, "requests_per_s": arguments.rate, "seed": 1},
        "arms": documents,
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", type=int, default=200)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--before", metavar="SRC")
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_args()
    versions = [("now", None)] + ([("before", arguments.before)] if arguments.before else [])
    with contextlib.ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in versions]
        arms = [
            stack.enter_context(host(folder, name, source, arguments.guests))
            for folder, (name, source) in zip(folders, versions, strict=True)
        ]
        print(json.dumps(measured(arms, arguments), indent=2))


if __name__ == "__main__":
    main()
