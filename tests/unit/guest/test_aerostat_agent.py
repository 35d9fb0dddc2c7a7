"""The agent that runs in guests: for old Pythons too, honest about what its kernel lacks."""

import ast
import os
import sys
from pathlib import Path

import pytest

from aerostat.drivers.agent.lines import LineKind, parse_line
from aerostat.guest import aerostat_agent
from aerostat.guest.aerostat_agent import Agent, Kernel, arm_triggers, number_after

SOURCE = Path(aerostat_agent.__file__).read_text(encoding="utf-8")
MEMINFO = (
    "MemTotal: 1000 kB\nMemFree: 300 kB\nMemAvailable: 500 kB\n"
    "Buffers: 1 kB\nCached: 20 kB\nSwapCached: 3 kB\n"
)
VMSTAT = "pgpgin 7\npswpin 2\npswpout 3\npgmajfault 4\nworkingset_refault_file 5\noom_kill 6\n"
PRESSURE = (
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=900\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=800\n"
)


def proc(directory: Path, *, with_pressure: bool = True) -> str:
    (directory / "meminfo").write_text(MEMINFO)
    (directory / "vmstat").write_text(VMSTAT)
    if with_pressure:
        (directory / "pressure").mkdir()
        (directory / "pressure" / "memory").write_text(PRESSURE)
    return str(directory)


def test_it_is_written_for_python_3_6_and_needs_the_standard_library_alone() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 6))
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imported <= sys.stdlib_module_names


def test_figures_are_bytes_and_counts_by_the_names_of_the_protocol(tmp_path: Path) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    assert Kernel(proc(tmp_path)).figures() == {
        "total_bytes": 1000 << 10,
        "available_bytes": 500 << 10,
        "free_bytes": 300 << 10,
        "cache_bytes": 24 << 10,
        "swap_in_bytes": 2 * page,
        "swap_out_bytes": 3 * page,
        "major_faults": 4,
        "refaults": 5,
        "oom_kills": 6,
        "some_total_us": 900,
        "full_total_us": 800,
    }


def test_what_a_kernel_does_not_have_is_left_out(tmp_path: Path) -> None:
    kernel = Kernel(proc(tmp_path, with_pressure=False))
    (tmp_path / "vmstat").write_text("pgmajfault 4\n")
    figures = kernel.figures()
    assert figures["major_faults"] == 4
    assert not {"some_total_us", "oom_kills", "swap_in_bytes", "refaults"} & figures.keys()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"pswpin 5\n", 5),
        (b"a 1\npswpin 6\n", 6),
        (b"xpswpin 6\n", -1),
        (b"a 1\npswpin \n", -1),
        (b"a 1\npswpin -3\n", -1),
        (b"", -1),
    ],
)
def test_a_number_is_found_at_the_start_of_its_line_only(text: bytes, found: int) -> None:
    assert number_after(text, b"pswpin ") == found


def test_a_turn_writes_a_line_that_the_host_understands(tmp_path: Path) -> None:
    ours, port = os.pipe()
    try:
        Agent(port, Kernel(proc(tmp_path)), {}, 60.0).turn()
        line = parse_line(os.read(ours, 4096).rstrip(b"\n"))
    finally:
        os.close(ours)
        os.close(port)
    assert line is not None
    assert (line.kind, line.triggers, line.figures.refaults) == (LineKind.FIGURES, 0, 5)


def test_where_nobody_reads_lines_are_dropped_and_it_goes_on(tmp_path: Path) -> None:
    ours, port = os.pipe()
    os.set_blocking(port, False)
    try:
        while True:
            os.write(port, b"x" * 65536)
    except BlockingIOError:
        Agent(port, Kernel(proc(tmp_path)), {}, 60.0).turn()
    finally:
        os.close(ours)
        os.close(port)


def test_a_kernel_without_pressure_is_told_how_to_have_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert arm_triggers(str(tmp_path / "pressure")) == {}
    assert "psi=1" in capsys.readouterr().err
