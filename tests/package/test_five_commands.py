"""From the package to a balanced host: the five commands of the tutorial, on real guests."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.lab.image import GuestImage
from aerostat.lab.machine import MachineSpec, WorkloadSpec
from aerostat.units import MIB
from lab.conftest import cache_dir, image
from lab.guests_in_thread import Guests, booted_guests
from package.disposable_root import CannotBeMadeError, DisposableRoot, disposable_root
from package.installed import asked_until, install, started

__all__ = ["cache_dir", "image"]

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1200)]

BUDGET_MIB = 400
HERE = f"""
mode = "enforce"
[qmp]
sockets = ["/run/vm/*.qmp"]
[host]
budget = "{BUDGET_MIB}MiB"     # two guests of 256 MiB: so there is something to balance
reserve = "64MiB"
burst_reserve = "0%"
"""


@pytest.fixture
def guests(image: GuestImage, tmp_path: Path) -> Iterator[Guests]:
    (tmp_path / "vm").mkdir()
    specs = [
        MachineSpec(
            name=name,
            ram_bytes=256 * MIB,
            swap_bytes=256 * MIB,
            workload=WorkloadSpec(hot_bytes=16 * MIB, rate=1000),
        )
        for name in ("ada", "bob")
    ]
    with booted_guests(specs, image, tmp_path / "vm") as booted:
        yield booted


@pytest.fixture
def system(tmp_path: Path, guests: Guests) -> Iterator[DisposableRoot]:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("the system has no Python of its own (Debian: python3)")
    try:
        with disposable_root(tmp_path, Path(guests.sockets).parent) as made:
            yield made
    except CannotBeMadeError as error:
        pytest.skip(f"no system of its own to install on: {error}")


def test_five_commands(
    package: Path, system: DisposableRoot, guests: Guests, tmp_path: Path
) -> None:
    began_s = time.monotonic()
    took: list[str] = []

    def done(what: str) -> None:
        took.append(f"{what} {time.monotonic() - began_s:.1f} s")

    install(system, package)
    done("installed after")
    doctor = system.run("aerostat", "doctor", is_checked=False).stdout
    assert "ada" in doctor
    assert "bob" in doctor
    done("examined")
    system.path("/etc/aerostat/conf.d/here.toml").write_text(HERE, "utf-8")
    with started(system, tmp_path / "daemon.log") as daemon:
        asked_until(system, lambda state: len(state["guests"]) == 2)
        done("answering")
        guests.until(lambda: guests.total_actual_bytes() <= (BUDGET_MIB + 16) * MIB, "balanced")
        done("within the budget")
        guests.order("bob", f"hot {140 * MIB}")
        guests.until(lambda: guests.actual_bytes("bob") >= 215 * MIB, "memory moves to bob")
        done("moved to who needs it")
        why = system.run("aerostat", "explain", "bob").stdout
        assert "bob holds" in why
        assert daemon.stop() == 0
    for name in guests.names:
        assert guests.latest(name).oom_kills == 0
    sys.stderr.write(f"\nfive commands: {', '.join(took)}\n")
