"""``aerostat run`` on Cloud Hypervisor's and Firecracker's stand-ins, all of them processes."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.units import MIB
from api_client import request
from daemon_process import Daemons
from deadlines import PATIENCE_S

pytestmark = pytest.mark.slow

Call = tuple[str, str, object]
CLOUD_HYPERVISOR: list[Call] = [
    ("PUT", "/api/v1/vm.create", {"memory": {"size": 512 * MIB}, "balloon": {"size": 0}}),
    ("PUT", "/api/v1/vm.boot", None),
]
FIRECRACKER: list[Call] = [
    ("PUT", "/machine-config", {"vcpu_count": 1, "mem_size_mib": 512}),
    (
        "PUT",
        "/balloon",
        {"amount_mib": 0, "deflate_on_oom": True, "stats_polling_interval_s": 1},
    ),
    ("PUT", "/actions", {"action_type": "InstanceStart"}),
]


def started(module: str, option: str, socket: Path, calls: list[Call]) -> subprocess.Popen[bytes]:
    """A stand-in whose VM runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"aerostat.sim.{module}", option, str(socket)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    give_up_s = time.monotonic() + PATIENCE_S
    while not socket.exists():
        assert time.monotonic() < give_up_s, f"{module} does not listen"
        time.sleep(0.05)
    for method, path, body in calls:
        status, answer = asyncio.run(request(socket, method, path, body))
        assert status == 204, answer
    return process


@pytest.fixture
def vms(tmp_path: Path) -> Iterator[Path]:
    """Where a VM of each kind has its socket."""
    processes = [
        started("cloud_hypervisor", "--api-socket", tmp_path / "carla.ch", CLOUD_HYPERVISOR),
        started("firecracker", "--api-sock", tmp_path / "fred.fc", FIRECRACKER),
    ]
    yield tmp_path
    for process in processes:
        process.terminate()
        process.wait()


def test_vms_of_both_are_found_and_moved(start: Daemons, vms: Path, tmp_path: Path) -> None:
    """Both are alike, so half of the budget is what each may hold."""
    config = tmp_path / "aerostat.toml"
    config.write_text(
        f'mode = "enforce"\npolicy = "static"\n[host]\nbudget = "800MiB"\n'
        f'[cloud_hypervisor]\nsockets = ["{vms}/*.ch"]\n[advanced]\ngrace = "1s"\n'
    )
    daemon = start("-c", str(config), "--firecracker", str(vms / "*.fc"))
    daemon.until_said("started", sockets=[f"{vms}/*.ch", f"{vms}/*.fc"])

    def held_bytes() -> list[int]:
        info = asyncio.run(request(vms / "carla.ch", "GET", "/api/v1/vm.info"))[1]
        stats = asyncio.run(request(vms / "fred.fc", "GET", "/balloon/statistics"))[1]
        assert isinstance(info, dict)
        assert isinstance(stats, dict)
        return [info["memory_actual_size"], 512 * MIB - stats["actual_pages"] * 4096]

    daemon.until(
        lambda: all(300 * MIB < held <= 401 * MIB for held in held_bytes()),
        "both hold no more than half",
    )
    assert daemon.garbage == []
