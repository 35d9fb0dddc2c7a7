"""Traces: what is read, what is left out, what is refused; and the synthetic one."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from aerostat.sim.fleet.draw import Draw, drawn_world
from aerostat.sim.fleet.synthetic import synthetic_trace
from aerostat.sim.trace import Trace, TraceError, read_trace
from aerostat.units import GIB, MIB


def written(path: Path, used: list[list[int]], capacity: list[list[int]]) -> Path:
    np.savez(path, used=np.array(used, np.uint32), cap=np.array(capacity, np.uint32), t0=0)
    return path


def test_a_trace_keeps_vms_that_are_there_all_the_time(tmp_path: Path) -> None:
    """Use above capacity is cut off; a VM that was resized counts with its greatest capacity."""
    path = written(
        tmp_path / "month.npz",
        [[500, 9000], [1, 2], [5, 6], [7, 7]],
        [[2048, 4096], [0, 2048], [512, 512], [99999, 99999]],
    )
    trace = read_trace(path)
    assert trace.name == "month"
    assert trace.max_bytes.tolist() == [4 * GIB]
    assert trace.used_bytes.tolist() == [[500 * MIB, 4 * GIB]]


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    """With the file and the reason in one sentence."""
    empty = tmp_path / "empty.npz"
    np.savez(empty, used=np.zeros((0, 0)), cap=np.zeros((0, 0)))
    other = tmp_path / "other.npz"
    np.savez(other, something=np.zeros(3))
    text = tmp_path / "text.npz"
    text.write_text("time;used")
    small = written(tmp_path / "small.npz", [[1]], [[256]])
    for path in (empty, other, text, small, tmp_path / "absent.npz"):
        with pytest.raises(TraceError, match=path.name):
            read_trace(path)


def test_an_archive_that_is_cut_short_or_corrupt_is_told(tmp_path: Path) -> None:
    """Wherever it was cut, and whatever became of its bytes: a file named, and never a traceback.

    Where a byte is in the archive's own words only, the trace may be read all the same.
    """
    path = tmp_path / "month.npz"
    whole = (np.arange(4000) % 900).reshape(40, 100).astype(np.uint32)
    np.savez_compressed(path, used=whole, cap=np.full((40, 100), 2048, np.uint32))
    content = path.read_bytes()
    for cut in range(0, len(content), 97):
        path.write_bytes(content[:cut])
        with pytest.raises(TraceError, match=r"month\.npz"):
            read_trace(path)
    refused = 0
    for place in range(0, len(content), 31):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        with suppress(TraceError):
            read_trace(path)
            continue
        refused += 1
    assert refused > 10


def test_a_draw_puts_each_vm_on_one_host_at_most() -> None:
    sizes = np.arange(1, 11, dtype=np.int64) * GIB
    trace = Trace(name="t", max_bytes=sizes, used_bytes=np.ones((10, 4), np.int64))
    draw = Draw(seed=3, hosts=9, guests_a_host=4, samples=(1, 3))
    world = drawn_world(trace, draw, overcommit_ratio=2)
    assert world.hosts == 2
    assert len(set(world.max_bytes.tolist())) == 8
    assert world.demand_bytes.shape == (2, 8)
    with pytest.raises(TraceError, match="10 usable VMs"):
        drawn_world(trace, Draw(seed=3, hosts=1, guests_a_host=11), overcommit_ratio=2)


def test_the_synthetic_fleet_is_like_published_ones() -> None:
    """Use well below capacity, a day's rhythm, and rare great rises; the same seed, the same."""
    trace = synthetic_trace(seed=1, vms=100, samples=576)
    again = synthetic_trace(seed=1, vms=100, samples=576)
    assert (trace.used_bytes == again.used_bytes).all()
    ratios = trace.used_bytes / trace.max_bytes[:, np.newaxis]
    assert 0.05 < ratios.mean() < 0.3
    assert ratios.min() >= 0
    assert ratios.max() <= 1
    rises = np.diff(ratios, axis=1)
    assert 0.0003 < (rises > 0.25).mean() < 0.005
    noon, night = ratios[:, 150:190].mean(), ratios[:, 0:40].mean()
    assert noon > 1.2 * night
