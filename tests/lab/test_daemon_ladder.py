"""The daemon's ladder on a real kernel: it takes where no balloon can, and leaves no trace."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.zswap import KNOBS as ZSWAP_KNOBS
from aerostat.lab.image import GuestImage
from aerostat.lab.machine import HealthState, MachineSpec, WorkloadSpec
from aerostat.units import MIB
from daemon_process import Daemon, Daemons, aerostat, daemons
from deadlines import PATIENCE_S
from lab.guests_in_thread import Guests, booted_guests

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="changing the host's techniques takes root"),
]

RAM_BYTES = 384 * MIB
COLD_BYTES = 200 * MIB


def host_state() -> dict[str, object]:
    kernel = Kernel()
    return {
        **{name: kernel.read_if_any(name) for name in ZSWAP_KNOBS},
        "swaps": sorted(s.device for s in read_swaps(kernel) if "ladder-swap" in s.device),
    }


def available_bytes() -> int:
    found = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    assert found is not None
    return int(found[1]) << 10


@pytest.fixture(scope="module")
def dumb_guests(image: GuestImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """Two guests without a balloon driver, that keep what they once used and do little."""
    specs = [
        MachineSpec(
            name=name,
            ram_bytes=RAM_BYTES,
            swap_bytes=64 * MIB,
            balloon_driver="absent",
            workload=WorkloadSpec(hot_bytes=COLD_BYTES, rate=100),
        )
        for name in ("dear", "dumb")
    ]
    with booted_guests(specs, image, tmp_path_factory.mktemp("dumb")) as booted:
        for name in booted.names:
            if booted.cgroup(name) is None:
                pytest.skip("no memory cgroups can be had here")
            booted.order(name, "keep cold")
            booted.order(name, f"hot {16 * MIB}")
        booted.live_on(2)
        yield booted


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Daemons]:
    """Starts daemons; whatever they leave is put back by one that only watches."""
    before = host_state()
    with daemons(tmp_path) as started:
        yield started
    with daemons(tmp_path) as last:
        config = tmp_path / "last.toml"
        config.write_text(f'[qmp]\nsockets = ["/none/*"]\n[store]\npath = "{tmp_path}/last.db"\n')
        assert last("-c", str(config)).stop() == 0
    assert host_state() == before


def configured(directory: Path, guests: Guests, *steps: str, more: str = "") -> str:
    """A configuration by which this host is short of 300 MiB: it keeps so much more than it has."""
    config = directory / "ladder.toml"
    named = ", ".join(f'"{step}"' for step in steps)
    states = "".join(f"{state} = [{named}]\n" for state in ("soft", "hard", "critical"))
    swap = f'swap_file = "{directory}/ladder-swap"\nswap_size = "1GiB"\n' if steps else ""
    reserve_mib = available_bytes() // MIB + 300
    config.write_text(
        f'mode = "enforce"\n[qmp]\nsockets = ["{guests.sockets}"]\n'
        f'[host]\nreserve = "{reserve_mib}MiB"\naccounting = "elastic"\n'
        f"[ladder]\ncomfortable = []\n{states}{swap}"
        f'[store]\npath = "{directory}/last.db"\n{more}'
    )
    return str(config)


def taken_bytes(daemon: Daemon, guest: str) -> int:
    return sum(int(str(line["taken_bytes"])) for line in daemon.said("technique_took", guest=guest))


def assert_well(guests: Guests) -> None:
    for name in guests.names:
        assert guests.latest(name).checksum_errors == 0
        assert guests.health(name) is HealthState.RUNNING


def test_guests_without_a_driver_are_swapped_by_the_host_and_the_host_is_as_before(
    dumb_guests: Guests, start: Daemons, tmp_path: Path
) -> None:
    before = host_state()
    held = {name: dumb_guests.held_bytes(name) or 0 for name in dumb_guests.names}
    daemon = start("-c", configured(tmp_path, dumb_guests, "take_free", "swap"))
    daemon.until_said("technique_switched_on", step="swap", deadline_s=PATIENCE_S)
    assert host_state() != before
    daemon.until_said("technique_took", guest="dumb", deadline_s=PATIENCE_S)
    fell = held["dumb"] - (dumb_guests.held_bytes("dumb") or 0)
    assert fell >= 0.5 * taken_bytes(daemon, "dumb")
    assert taken_bytes(daemon, "dumb") >= 32 * MIB
    listed = aerostat("events", "--store", f"{tmp_path}/last.db", "-o", "json")
    assert '"kind": "technique"' in listed.stdout, listed.stdout + listed.stderr
    assert daemon.stop() == 0, daemon.transcript
    assert daemon.said("techniques_put_back")
    assert host_state() == before
    assert_well(dumb_guests)


def test_what_a_killed_daemon_left_on_the_host_is_put_back_by_the_next(
    dumb_guests: Guests, start: Daemons, tmp_path: Path
) -> None:
    before = host_state()
    daemon = start("-c", configured(tmp_path, dumb_guests, "compress"))
    daemon.until_said("technique_switched_on", step="compress", deadline_s=PATIENCE_S)
    daemon.kill()
    assert host_state() != before
    following = start("-c", configured(tmp_path, dumb_guests))
    assert following.until_said("techniques_put_back")["remarks"] == []
    assert host_state() == before
    assert following.stop() == 0
    assert_well(dumb_guests)


def test_a_guest_that_is_exempt_keeps_its_memory_in_ram(
    dumb_guests: Guests, start: Daemons, tmp_path: Path
) -> None:
    rule = '[[guest]]\nname = "dear"\nexempt = ["compress", "swap"]\n'
    group = dumb_guests.cgroup("dear")
    assert group is not None
    knob = group.path / ("memory.swappiness" if group.version == 1 else "memory.swap.max")
    before = knob.read_text()
    daemon = start("-c", configured(tmp_path, dumb_guests, "swap", more=rule))
    daemon.until_said("technique_took", guest="dumb", deadline_s=PATIENCE_S)
    assert knob.read_text().strip() == "0"
    assert not daemon.said("technique_took", guest="dear")
    assert daemon.stop() == 0
    assert knob.read_text() == before
    assert_well(dumb_guests)


def test_by_default_a_short_host_takes_nothing_itself(
    dumb_guests: Guests, start: Daemons, tmp_path: Path
) -> None:
    before = host_state()
    config = Path(configured(tmp_path, dumb_guests))
    text = re.sub(r"\[ladder\].*?(?=\[store\])", "", config.read_text(), flags=re.DOTALL)
    config.write_text(text)
    daemon = start("-c", str(config))
    dumb_guests.live_on(6)
    assert host_state() == before
    assert not [line for line in daemon.lines if str(line["event"]).startswith("technique")]
    assert daemon.stop() == 0
