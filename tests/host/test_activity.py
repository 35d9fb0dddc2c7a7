"""What a real process touched is told by its pages' referenced bits; other processes are not."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.host.activity import ActivitySampler, Touched, probe_activity
from aerostat.host.footprint import FootprintReader
from aerostat.units import MIB

usable = pytest.mark.skipif(not probe_activity().is_usable, reason=probe_activity().why)
PATIENCE_S = 60.0
HELD_MIB = 96
BUSY_MIB = 32
PROGRAM = f"""
import mmap, sys
held = mmap.mmap(-1, {HELD_MIB} << 20)
for at in range(0, {HELD_MIB} << 20, 4096): held[at] = 1
print("filled", flush=True)
for _ in sys.stdin:
    for at in range(0, {BUSY_MIB} << 20, 4096): held[at] = 2
    print("touched", flush=True)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "filled\n"
        yield running
        running.kill()


def touch(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "touched\n"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def looked(sampler: ActivitySampler, clock: Clock, pid: int) -> Touched | None:
    """What the look says that is due now; it is made aside."""
    clock.now += 60.0
    give_up_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_s:
        found = sampler.last(pid)
        if found is not None and found.read_s == clock.now:
            return found
        time.sleep(0.01)
    return None


@usable
def test_only_what_was_touched_since_the_last_look_counts(process: subprocess.Popen[str]) -> None:
    clock = Clock()
    sampler = ActivitySampler(now_s=clock, period_s=60.0)
    assert sampler.last(process.pid) is None, "nobody knows since when the first bits are set"
    idle = looked(sampler, clock, process.pid)
    touch(process)
    busy = looked(sampler, clock, process.pid)
    sampler.close()
    assert idle is not None
    assert busy is not None
    assert idle.touched_bytes < BUSY_MIB * MIB
    assert BUSY_MIB * MIB <= busy.touched_bytes < HELD_MIB * MIB
    assert busy.span_s == 60.0
    assert busy.cost_s > 0.0
    assert busy.cost_ratio == pytest.approx(busy.cost_s / 60.0)


@usable
def test_an_old_look_says_nothing(process: subprocess.Popen[str]) -> None:
    clock = Clock()
    sampler = ActivitySampler(now_s=clock, period_s=60.0)
    sampler.last(process.pid)
    assert looked(sampler, clock, process.pid) is not None
    process.kill()
    process.wait()
    clock.now += 121.0
    assert sampler.last(process.pid) is None


@usable
def test_a_footprint_carries_it_only_where_asked_for() -> None:
    clock = Clock()
    plain = FootprintReader(now_s=clock).read(os.getpid())
    assert plain is not None
    assert plain.touched_bytes is None
    reader = FootprintReader(now_s=clock, touched_period_s=60.0)
    give_up_s = time.monotonic() + PATIENCE_S
    found = cost = None
    while cost is None and time.monotonic() < give_up_s:  # the second look has a span to compare
        clock.now += 60.0
        footprint = reader.read(os.getpid())
        assert footprint is not None
        found, cost = footprint.touched_bytes, footprint.touched_cost_ratio
        time.sleep(0.05)
    reader.close()
    assert found
    assert cost is not None
    assert cost >= 0.0


def test_where_somebody_else_uses_damon_the_bits_are_looked_at(tmp_path: Path) -> None:
    damon = tmp_path / "sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"
    process = tmp_path / "proc/77"
    for folder in (damon.parent, process):
        folder.mkdir(parents=True)
    damon.write_text("2\n")
    (process / "smaps_rollup").write_text("Rss: 900 kB\nReferenced: 300 kB\n")
    (process / "clear_refs").touch()
    clock = Clock()
    sampler = ActivitySampler(now_s=clock, period_s=60.0, root=tmp_path)
    sampler.last(77)
    found = looked(sampler, clock, 77)
    sampler.close()
    assert found is not None
    assert (found.touched_bytes, found.how) == (300 << 10, "referenced bits")
    assert damon.read_text() == "2\n"
    assert (process / "clear_refs").read_text() == "1"


def test_a_kernel_without_it_says_why(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    probe = probe_activity(tmp_path)
    assert not probe.is_usable
    assert "CONFIG_PROC_PAGE_MONITOR" in probe.why
    assert "DAMON is not in this kernel" in probe.why
