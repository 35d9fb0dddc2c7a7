"""The host's own memory, pressure and swap traffic."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostat.host.meminfo import parse_meminfo
from aerostat.host.pressure import parse_pressure
from aerostat.host.sensor import ProcHostSensor
from aerostat.host.vmstat import parse_vmstat
from aerostat.ports.errors import SensorError
from aerostat.units import KIB

Tree = Callable[[dict[str, str]], Path]

MEMINFO = """\
MemTotal:       24683948 kB
MemFree:        20000000 kB
MemAvailable:   22000000 kB
Buffers:             100 kB
Cached:             5000 kB
SwapCached:            0 kB
Shmem:              1000 kB
SReclaimable:        300 kB
SwapTotal:       2097148 kB
SwapFree:        1000000 kB
HugePages_Total:       7
DirectMap4k:      188372 kB
"""
PRESSURE = """\
some avg10=0.22 avg60=0.17 avg300=1.11 total=58761459
full avg10=0.00 avg60=0.13 avg300=0.96 total=5000000
"""
VMSTAT = "nr_free_pages 5094374\npswpin 10\npswpout 20\npswpin_zero 3\n"


def test_kilobytes_of_the_kernel_become_bytes() -> None:
    memory = parse_meminfo(MEMINFO)
    assert memory.total_bytes == 24683948 * KIB
    assert memory.free_bytes == 20000000 * KIB
    assert memory.available_bytes == 22000000 * KIB
    assert memory.swap_total_bytes == 2097148 * KIB
    assert memory.swap_free_bytes == 1000000 * KIB


def test_shared_memory_is_not_cache() -> None:
    """It is counted in Cached, and no reclaim can drop it."""
    assert parse_meminfo(MEMINFO).cache_bytes == (5000 + 100 - 1000 + 300) * KIB


@pytest.mark.parametrize("name", ["MemTotal", "MemAvailable", "MemFree", "Cached", "SwapTotal"])
def test_a_figure_that_is_always_there_and_is_not_is_an_error(name: str) -> None:
    lines = [line for line in MEMINFO.splitlines() if not line.startswith(f"{name}:")]
    with pytest.raises(SensorError, match=name):
        parse_meminfo("\n".join(lines))


def test_pressure_is_in_seconds_since_boot() -> None:
    pressure = parse_pressure(PRESSURE)
    assert pressure.some_total_s == pytest.approx(58.761459)
    assert pressure.full_total_s == pytest.approx(5.0)


def test_pressure_of_one_kind_leaves_the_other_absent() -> None:
    pressure = parse_pressure("some avg10=0.00 total=1000000\n")
    assert (pressure.some_total_s, pressure.full_total_s) == (1.0, None)


def test_swap_traffic_is_counted_in_pages_of_the_host() -> None:
    traffic = parse_vmstat(VMSTAT, page_bytes=16384)
    assert (traffic.in_bytes, traffic.out_bytes) == (10 * 16384, 20 * 16384)


@given(text=st.text(alphabet=st.sampled_from("someful tal=:kB0123456789-\n.x²"), max_size=80))
def test_whatever_a_file_holds_it_is_read_or_a_sensor_error(text: str) -> None:
    parse_pressure(text)
    parse_vmstat(text)
    with pytest.raises(SensorError):
        parse_meminfo(text)


def test_a_host_is_read_whole(tree: Tree) -> None:
    files = {"proc/meminfo": MEMINFO, "proc/pressure/memory": PRESSURE, "proc/vmstat": VMSTAT}
    memory = ProcHostSensor(tree(files)).read()
    assert memory.total_bytes == 24683948 * KIB
    assert memory.swap_out_bytes is not None
    assert memory.pressure_full_total_s == 5.0


def test_a_kernel_without_psi_leaves_pressure_absent(tree: Tree) -> None:
    memory = ProcHostSensor(tree({"proc/meminfo": MEMINFO})).read()
    assert memory.pressure_some_total_s is None
    assert memory.pressure_full_total_s is None
    assert memory.swap_in_bytes is None


def test_a_host_that_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(SensorError, match="meminfo"):
        ProcHostSensor(tmp_path).read()


def test_this_machine_is_read_in_well_under_a_few_milliseconds() -> None:
    sensor = ProcHostSensor()
    memory = sensor.read()
    took_s = []
    for _ in range(20):
        began_s = time.perf_counter()
        sensor.read()
        took_s.append(time.perf_counter() - began_s)
    assert 0 < memory.available_bytes <= memory.total_bytes
    assert min(took_s) < 0.005
