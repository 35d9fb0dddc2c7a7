"""What a balloon takes of a guest with huge pages behind it: hidden at first, then split.

The guest frees scattered pages. Its driver gives them one by one, the hypervisor discards them one
by one, and the host keeps every huge page of which a single page is still in use.
"""

import os
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from aerostat.host.footprint import FootprintReader
from aerostat.lab.image import GuestImage
from aerostat.lab.machine import HealthState, MachineSpec, WorkloadSpec
from aerostat.units import MIB
from daemon_process import Daemons, aerostat, daemons
from deadlines import PATIENCE_S
from lab.guests_in_thread import Guests, booted_guests

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="another VM's cgroup takes root"),
]

BIG_BYTES = 360 * MIB
SMALL_BYTES = 100 * MIB
HIDDEN_BYTES = 48 * MIB
"""So much at least is hidden after a take of about 200 MiB; usually it is nearly all."""
ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.fixture(scope="module")
def huge(image: GuestImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """One guest that used much and freed it, page by page."""
    if not ENABLED.exists() or "[never]" in ENABLED.read_text():
        pytest.skip("this host has no transparent huge pages")
    spec = MachineSpec(
        name="huge",
        ram_bytes=512 * MIB,
        huge_pages=True,
        workload=WorkloadSpec(hot_bytes=SMALL_BYTES, rate=2000),
    )
    with booted_guests([spec], image, tmp_path_factory.mktemp("huge")) as booted:
        if booted.cgroup("huge") is None:
            pytest.skip("no memory cgroups can be had here")
        yield booted


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Daemons]:
    with daemons(tmp_path) as started:
        yield started


def use_and_free(guests: Guests) -> None:
    for size in (BIG_BYTES, SMALL_BYTES):
        guests.order("huge", f"hot {size}")
        guests.until(partial(_has, guests, size), f"a hot set of {size}")


def _has(guests: Guests, size: int) -> bool:
    sample = guests.latest("huge")
    is_full = size == SMALL_BYTES or sample.heap_bytes >= 0.9 * size
    return sample.hot_bytes == size and is_full


def hidden_bytes(guests: Guests) -> int:
    reader = FootprintReader(now_s=time.monotonic)
    try:
        footprint = reader.read(guests.pid("huge"))
    finally:
        reader.close()
    assert footprint is not None
    assert footprint.unsplit_bytes is not None
    return footprint.unsplit_bytes


def configured(directory: Path, guests: Guests, *steps: str) -> str:
    """A configuration by which this host is short: it keeps far more than others leave of it."""
    found = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    assert found is not None
    reserve_mib = (int(found[1]) >> 10) + 1000
    named = ", ".join(f'"{step}"' for step in steps)
    states = "".join(f"{state} = [{named}]\n" for state in ("soft", "hard", "critical"))
    config = directory / "huge.toml"
    config.write_text(
        f'mode = "enforce"\n[qmp]\nsockets = ["{guests.sockets}"]\n'
        f'[host]\nreserve = "{reserve_mib}MiB"\naccounting = "elastic"\n[advanced]\ngrace = "1s"\n'
        f'[ladder]\ncomfortable = []\n{states}[store]\npath = "{directory}/last.db"\n'
    )
    return str(config)


def test_what_a_balloon_gave_is_hidden_in_huge_pages_until_the_ladder_splits_them(
    huge: Guests, start: Daemons, tmp_path: Path
) -> None:
    use_and_free(huge)
    before = huge.held_bytes("huge") or 0
    daemon = start("-c", configured(tmp_path, huge, "take_free"))
    daemon.until(lambda: huge.actual_bytes("huge") < 400 * MIB, "it gives", deadline_s=PATIENCE_S)
    daemon.until(lambda: hidden_bytes(huge) > HIDDEN_BYTES, "and hides", deadline_s=PATIENCE_S)
    told = aerostat("doctor", "huge", "-o", "json")
    assert "in huge pages that nobody has split" in told.stdout, told
    assert daemon.stop() == 0, daemon.transcript
    hidden, held = hidden_bytes(huge), huge.held_bytes("huge") or 0

    splitting = start("-c", configured(tmp_path, huge, "take_free", "split"))
    splitting.until_said("technique_took", step="split", deadline_s=PATIENCE_S)
    splitting.until(
        lambda: hidden_bytes(huge) < hidden / 4, "they are split", deadline_s=PATIENCE_S
    )
    assert (huge.held_bytes("huge") or 0) < held - hidden / 2
    assert (huge.held_bytes("huge") or 0) < before - HIDDEN_BYTES
    assert splitting.stop() == 0, splitting.transcript
    group = huge.cgroup("huge")
    assert group is not None
    if group.version == 1:
        assert (group.path / "memory.swappiness").read_text().strip() != "0"
    assert huge.latest("huge").checksum_errors == 0
    assert huge.health("huge") is HealthState.RUNNING
