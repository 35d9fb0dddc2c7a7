"""The layout of the GWA's Bitbrains traces, with every trap that is in the real ones."""

import random
from pathlib import Path

import pytest

from aerostat.sim.trace import TraceError, read_trace
from aerostat.sim.trace.trace import Reading
from aerostat.units import GIB, KIB

HEAD = (
    "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];"
    "\tMemory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];"
    "\tDisk write throughput [KB/s];\tNetwork received throughput [KB/s];"
    "\tNetwork transmitted throughput [KB/s]"
)
BEGAN_S = 1_372_629_804
SAMPLES = 300


def row(time_s: int, capacity_kib: int, used_kib: float) -> str:
    memory = f"{float(capacity_kib)};\t{used_kib}"
    return f"{time_s};\t2;\t5851.99;\t87.8;\t1.5;\t{memory};\t0.0;\t1.2;\t0.1;\t0.2"


def vm(capacity_gib: int, seed: int) -> list[str]:
    """Seconds under a head that says milliseconds, with a second of jitter."""
    draw = random.Random(seed)
    return [
        row(BEGAN_S + 300 * n + draw.choice((-1, 0, 0, 1)), capacity_gib * GIB // KIB, 1000.0 + n)
        for n in range(SAMPLES)
    ]


def folder_of(tmp_path: Path, files: dict[str, list[str]]) -> Path:
    folder = tmp_path / "rnd"
    folder.mkdir()
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    return folder


def test_seconds_under_a_head_of_milliseconds_with_jitter(tmp_path: Path) -> None:
    trace = read_trace(folder_of(tmp_path, {"1": vm(8, 1), "2": vm(4, 2), "10": vm(64, 3)}))
    assert trace.sample_s == 300
    assert trace.names == ("1", "2", "10")
    assert trace.max_bytes.tolist() == [8 * GIB, 4 * GIB, 64 * GIB]
    assert trace.used_bytes.shape == (3, SAMPLES)
    assert trace.used_bytes[2, 7] == 1007 * KIB
    assert trace.notes == ()


def test_the_traps_of_the_month(tmp_path: Path) -> None:
    """Gaps of all VMs and of one, rows twice, capacity 0 and changing, use above capacity."""
    draw = random.Random(1)
    gap = slice(50, 62)
    good, twice, stops = vm(8, 1), vm(8, 2), vm(8, 3)
    twice[100] = row(BEGAN_S + 300 * 100, 8 * GIB // KIB, 99_000_000.0)  # above capacity
    stops[200:] = [row(BEGAN_S + 300 * n, 0, 0.0) for n in range(200, SAMPLES)]
    resized = [
        row(BEGAN_S + 300 * n, (4 if n < 90 else 16) * GIB // KIB, 5.0) for n in range(SAMPLES)
    ]
    for rows in (good, twice, stops, resized):
        del rows[gap]
    del good[draw.randrange(100, 200)]
    twice += [twice[10], twice[10]]
    files = {"1": good, "2": twice, "3": stops, "4": resized, "5": vm(8, 4)[:20], "6": vm(511, 5)}
    del files["6"][gap]
    trace = read_trace(folder_of(tmp_path, files))
    assert trace.names == ("1", "2", "4")
    assert trace.max_bytes.tolist() == [8 * GIB, 8 * GIB, 16 * GIB]
    assert trace.used_bytes[1, 100] == 8 * GIB
    assert trace.used_bytes[0, 55] == 1049 * KIB
    told = "\n".join(trace.notes)
    assert "2 rows fell into the sample of another row" in told
    assert "2 VMs left out: not there all the time" in told
    assert "1 VMs left out: not of 1024 MiB to 64 GiB" in told
    assert "1 samples above the VM's own memory" in told
    assert "12 samples missing for all VMs at once" in told
    assert "1 other samples missing" in told


def test_malformed_rows_name_their_file_and_line(tmp_path: Path) -> None:
    broken = vm(8, 1)
    broken[4] = broken[4].replace("1004.0", "?")
    folder = folder_of(tmp_path, {"1": vm(8, 2), "2": broken})
    assert any("2.csv:6" in note for note in read_trace(folder).notes)
    with pytest.raises(TraceError, match=r"2\.csv:6: the memory used is no number"):
        read_trace(folder, Reading(is_strict=True))


def test_one_file_of_it_is_a_trace_of_one_vm(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"7": vm(8, 1)})
    assert read_trace(folder / "7.csv").names == ("7",)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"1": vm(8, 1)})
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TraceError, match=r"notes\.csv:1: a folder is read as"):
        read_trace(folder)
    (tmp_path / "none").mkdir()
    with pytest.raises(TraceError, match=r"there are no \.csv files"):
        read_trace(tmp_path / "none")
