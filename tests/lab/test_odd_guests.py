"""Guests that are not like ours: what the daemon, its ladder included, does with each of them.

A guest without a driver, and one that lies: tests/lab/test_daemon.py, test_daemon_ladder.py and
incidents/test_r14_a_driver_that_lies.py.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.host.process_memory import parse_unreclaimable
from aerostat.host.techniques.changes import Changes, undo
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.lab.image import GuestImage
from aerostat.lab.machine import HealthState, MachineSpec, WorkloadSpec
from aerostat.lab.machine.errors import MachineError
from aerostat.places import UNDO_NAME
from aerostat.units import MIB
from daemon_process import Daemon, Daemons, daemons
from deadlines import PATIENCE_S
from lab.guests_in_thread import Guests, booted_guests

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="changing the host's techniques takes root"),
]

RAM_BYTES = 256 * MIB


def odd(name: str, **changed: object) -> MachineSpec:
    told: dict[str, object] = {
        "ram_bytes": RAM_BYTES,
        "swap_bytes": 64 * MIB,
        "workload": WorkloadSpec(hot_bytes=16 * MIB, rate=200),
    }
    return MachineSpec(name=name, **{**told, **changed})  # type: ignore[arg-type] # real fields


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Daemons]:
    """Starts daemons; a test that fails kills them, and what they changed is put back here."""
    with daemons(tmp_path) as started:
        yield started
    kernel = Kernel()
    log = UndoLog(tmp_path / UNDO_NAME, kernel)
    assert log.undo(None, lambda change: undo(change, kernel)) == []


def available_mib() -> int:
    found = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    assert found is not None
    return int(found[1]) >> 10


def short_host(start: Daemons, guests: Guests, directory: Path, ladder: str = "") -> Daemon:
    """A daemon on a host that lacks 400 MiB of its reserve."""
    config = directory / "odd.toml"
    config.write_text(
        f'mode = "enforce"\n[qmp]\nsockets = ["{guests.sockets}"]\n'
        f'[host]\nreserve = "{available_mib() + 400}MiB"\naccounting = "elastic"\n{ladder}'
        f'[store]\npath = "{directory}/odd.db"\n[advanced]\ngrace = "2s"\nstall = "2s"\n'
    )
    return start("-c", str(config))


def swap_ladder(directory: Path) -> str:
    states = "".join(
        f'{state} = ["take_free", "take_by_weight", "swap"]\n'
        for state in ("soft", "hard", "critical")
    )
    return (
        f'[ladder]\ncomfortable = ["take_free"]\n{states}'
        f'swap_file = "{directory}/odd-swap"\nswap_size = "512MiB"\n'
    )


def assert_well(guests: Guests) -> None:
    for name in guests.names:
        assert guests.latest(name).checksum_errors == 0
        assert guests.health(name) is HealthState.RUNNING


def test_a_late_driver_is_waited_for_and_then_served_by_its_balloon(
    image: GuestImage, start: Daemons, run_dir: Path, tmp_path: Path
) -> None:
    late = odd("late", balloon_driver="late", balloon_after_s=15.0)
    with booted_guests([late], image, run_dir) as guests:
        daemon = short_host(start, guests, tmp_path)
        daemon.until_said("hold", guest="late", reason="hold_figures_absent")
        assert guests.actual_bytes("late") == RAM_BYTES
        guests.until(lambda: guests.actual_bytes("late") < RAM_BYTES - 32 * MIB, "it gives")
        first = daemon.said("target", guest="late")[0]
        assert first["reason"] == "taken_for_host"
        assert daemon.stop() == 0
        assert_well(guests)


def test_what_a_hanging_driver_does_not_give_the_host_takes_itself(
    image: GuestImage, start: Daemons, run_dir: Path, tmp_path: Path
) -> None:
    with booted_guests([odd("stuck")], image, run_dir) as guests:
        guests.order("stuck", f"hot {120 * MIB}")
        guests.live_on(4)
        guests.order("stuck", f"hot {16 * MIB}")
        guests.order("stuck", "balloon hung")
        guests.live_on(1)
        daemon = short_host(start, guests, tmp_path, swap_ladder(tmp_path))
        daemon.until_said("target", guest="stuck", reason="stall_accepted", deadline_s=PATIENCE_S)
        taken = daemon.until_said("technique_took", guest="stuck", deadline_s=PATIENCE_S)
        assert taken["taken_bytes"] >= 8 * MIB
        assert guests.actual_bytes("stuck") == RAM_BYTES
        assert daemon.stop() == 0
        guests.order("stuck", "balloon works")
        assert_well(guests)


def left_alone(daemon: Daemon, guests: Guests, name: str) -> None:
    """Neither its balloon nor the host took anything of it.

    Where the host holds more for it than its RAM, that is told first: it comes to the same.
    """
    guests.live_on(8)
    reasons = {line["reason"] for line in daemon.said("hold", guest=name)}
    assert reasons & {"hold_pinned", "hold_doubted"}, daemon.transcript
    assert guests.actual_bytes(name) == RAM_BYTES
    assert not daemon.said("target", guest=name)
    assert not daemon.said("technique_took", guest=name)
    assert daemon.stop() == 0
    assert_well(guests)


def unreclaimable_bytes(guests: Guests, name: str) -> int:
    status = Path(f"/proc/{guests.pid(name)}/status").read_text()
    return parse_unreclaimable(status) or 0


def test_locked_memory_is_asked_of_nobody(
    image: GuestImage, start: Daemons, run_dir: Path, tmp_path: Path
) -> None:
    locked = odd("locked", extra_args=("-overcommit", "mem-lock=on"))
    try:
        with booted_guests([locked], image, run_dir) as guests:
            assert unreclaimable_bytes(guests, "locked") >= RAM_BYTES
            daemon = short_host(start, guests, tmp_path, swap_ladder(tmp_path))
            left_alone(daemon, guests, "locked")
    except MachineError as error:
        if "lock" not in str(error).lower():
            raise
        pytest.skip(f"memory cannot be locked here: {error}")


@pytest.fixture
def huge_pages(tmp_path: Path) -> Iterator[None]:
    """Enough of them for one guest; the kernel's own number afterwards."""
    kernel, knob = Kernel(), "/proc/sys/vm/nr_hugepages"
    log = UndoLog(tmp_path / "undo.json", kernel)
    if kernel.read(knob) != "0":
        pytest.skip("this host has huge pages of its own")
    try:
        Changes("test", kernel, log).set_knob(knob, str(RAM_BYTES // (2 * MIB) + 2))
        yield
    except TechniqueError as error:
        pytest.skip(f"no huge pages can be had here: {error}")
    finally:
        assert log.undo(None, lambda change: undo(change, kernel)) == []
        assert kernel.read(knob) == "0"


@pytest.mark.usefixtures("huge_pages")
def test_a_guest_on_huge_pages_is_not_ballooned_for_nothing(
    image: GuestImage, start: Daemons, run_dir: Path, tmp_path: Path
) -> None:
    """There a balloon of small pages gives nothing back: the host frees whole huge pages only."""
    backend = f"memory-backend-memfd,id=ram,size={RAM_BYTES},hugetlb=on,prealloc=on"
    huge = odd("huge", extra_args=("-object", backend, "-machine", "memory-backend=ram"))
    with booted_guests([huge], image, run_dir) as guests:
        assert unreclaimable_bytes(guests, "huge") >= RAM_BYTES
        left_alone(short_host(start, guests, tmp_path), guests, "huge")
