"""Techniques on the real kernel: switched on, killed half-way, put back by who comes after."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.host.cgroup import CgroupReader
from aerostat.host.techniques.changes import undo
from aerostat.host.techniques.host_swap import HostSwap, SwapState
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.ksm import Ksm
from aerostat.host.techniques.page_out import PageOut
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.vm_reclaim import ReclaimState, VmReclaim
from aerostat.host.techniques.zram import Zram, ZramState
from aerostat.host.techniques.zswap import KNOBS as ZSWAP_KNOBS
from aerostat.host.techniques.zswap import PARAMETERS, Zswap, ZswapState
from aerostat.lab.machine.cgroup import create_group, find_hierarchy
from aerostat.units import MIB

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="changing the host's techniques takes root"),
]

SWITCH_ON_AND_DIE = """
import os, signal, sys
from collections.abc import Iterator
from pathlib import Path
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.ksm import Ksm, KsmState
from aerostat.host.techniques.undo_log import UndoLog
kernel = Kernel()
Ksm(kernel, UndoLog(Path(sys.argv[1]), kernel)).apply(KsmState(pages_to_scan=321))
os.kill(os.getpid(), signal.SIGKILL)
"""


def state_of_the_host() -> dict[str, str]:
    """Every knob that techniques set, and what is swapped to."""
    kernel = Kernel()
    names = [
        *(f"/sys/kernel/mm/ksm/{n}" for n in ("run", "pages_to_scan", "sleep_millisecs")),
        *ZSWAP_KNOBS,
    ]
    found = {name: kernel.read_if_any(name) or "absent" for name in names}
    found["swaps"] = str(sorted(swap.device for swap in read_swaps(kernel)))
    found["zram"] = str(sorted(path.name for path in Path("/sys/block").glob("zram*")))
    return found


def require(probe: Probe) -> None:
    if not probe.is_usable:
        pytest.skip(probe.why)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """An undo log; whatever is left in it is undone, and the host is as it was."""
    before = state_of_the_host()
    path = tmp_path / "undo.json"
    yield path
    kernel = Kernel()
    assert UndoLog(path, kernel).undo(None, lambda change: undo(change, kernel)) == []
    assert state_of_the_host() == before


def test_ksm_switched_on_by_a_process_that_was_killed_is_put_back(log: Path) -> None:
    kernel = Kernel()
    ksm = Ksm(kernel, UndoLog(log, kernel))
    require(ksm.probe())
    if kernel.read("/sys/kernel/mm/ksm/run") != "0":
        pytest.skip("KSM runs on this host already")
    before = state_of_the_host()
    done = subprocess.run([sys.executable, "-c", SWITCH_ON_AND_DIE, str(log)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert kernel.read("/sys/kernel/mm/ksm/run") == "1"
    assert kernel.read("/sys/kernel/mm/ksm/pages_to_scan") == "321"
    assert Ksm(kernel, UndoLog(log, kernel)).restore() == []
    assert state_of_the_host() == before


def test_a_zram_device_is_swapped_to_and_removed(log: Path) -> None:
    kernel = Kernel()
    zram = Zram(kernel, UndoLog(log, kernel))
    require(zram.probe())
    before = state_of_the_host()
    zram.apply(ZramState(size_bytes=64 * MIB, memory_bytes_max=32 * MIB))
    (device,) = [s for s in read_swaps(kernel) if s.device.startswith("/dev/zram")]
    assert device.size_bytes == pytest.approx(64 * MIB, rel=0.01)
    assert device.priority == 100
    assert zram.read().taken_bytes is not None
    assert zram.restore() == []
    assert state_of_the_host() == before


def test_a_compressor_that_the_kernel_lacks_leaves_nothing_behind(log: Path) -> None:
    kernel = Kernel()
    zram = Zram(kernel, UndoLog(log, kernel))
    require(zram.probe())
    before = state_of_the_host()
    with pytest.raises(TechniqueError, match="'brotli' was refused"):
        zram.apply(ZramState(size_bytes=64 * MIB, compressor="brotli"))
    assert zram.restore() == []
    assert state_of_the_host() == before


def test_zswap_in_front_of_a_swap_file_of_ours(log: Path, tmp_path: Path) -> None:
    kernel = Kernel()
    undo_log = UndoLog(log, kernel)
    swap, zswap = HostSwap(kernel, undo_log), Zswap(kernel, undo_log)
    before = state_of_the_host()
    path = tmp_path / "swapfile"
    try:
        swap.apply(SwapState(path=path, size_bytes=64 * MIB))
    except TechniqueError as error:
        pytest.skip(f"no swap file can be had here: {error}")
    assert str(path) in swap.probe().why
    require(zswap.probe())
    zswap.apply(ZswapState(pool_ratio_max=0.05))
    assert kernel.read(f"{PARAMETERS}/enabled") == "Y"
    assert zswap.read().held_bytes is not None
    assert zswap.restore() == []
    assert swap.restore() == []
    assert not path.exists()
    assert state_of_the_host() == before


HOLD = """
import sys
held = bytearray(b"x" * (128 << 20))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds 128 MiB in a memory cgroup of its own."""
    hierarchy = find_hierarchy()
    if isinstance(hierarchy, str):
        pytest.skip(hierarchy)
    group = create_group(hierarchy, "holder")
    if isinstance(group, str):
        pytest.skip(group)
    join = f"open('{group.procs}', 'w').write('0')"
    with subprocess.Popen(
        [sys.executable, "-c", join + HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()
            process.wait()
            while not group.remove():
                time.sleep(0.02)


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def swap_file(log: Path, tmp_path: Path) -> None:
    kernel = Kernel()
    try:
        state = SwapState(path=tmp_path / "swapfile", size_bytes=256 * MIB)
        HostSwap(kernel, UndoLog(log, kernel)).apply(state)
    except TechniqueError as error:
        pytest.skip(f"no swap file can be had here: {error}")


@pytest.mark.usefixtures("swap_file")
def test_a_vms_memory_is_taken_through_its_cgroup_and_no_limit_stays(
    log: Path, holder: subprocess.Popen[bytes]
) -> None:
    groups = CgroupReader(now_s=time.monotonic).groups(holder.pid)
    assert groups.charge is not None
    kernel = Kernel()
    reclaim = VmReclaim(kernel, UndoLog(log, kernel), groups.charge, is_v2=groups.is_v2)
    require(reclaim.probe())
    limit = groups.charge / ("memory.max" if groups.is_v2 else "memory.limit_in_bytes")
    before, held = limit.read_text(), reclaim.held_bytes()
    reclaim.apply(ReclaimState(take_bytes=64 * MIB))
    assert reclaim.last is not None
    assert reclaim.last.taken_bytes >= 60 * MIB
    assert held - reclaim.held_bytes() >= 60 * MIB
    assert (reclaim.read().taken_bytes or 0) >= 60 * MIB
    assert limit.read_text() == before
    assert holder.poll() is None


@pytest.mark.usefixtures("swap_file")
def test_more_is_asked_for_than_there_is_and_nobody_is_killed(
    log: Path, holder: subprocess.Popen[bytes]
) -> None:
    groups = CgroupReader(now_s=time.monotonic).groups(holder.pid)
    assert groups.charge is not None
    kernel = Kernel()
    reclaim = VmReclaim(kernel, UndoLog(log, kernel), groups.charge, is_v2=groups.is_v2)
    require(reclaim.probe())
    reclaim.apply(ReclaimState(take_bytes=4096 * MIB))
    assert reclaim.last is not None
    assert 100 * MIB <= reclaim.last.taken_bytes <= 200 * MIB
    assert reclaim.restore() == []
    assert holder.poll() is None


@pytest.mark.usefixtures("swap_file")
def test_a_vms_memory_is_paged_out_by_address(holder: subprocess.Popen[bytes]) -> None:
    page_out = PageOut(Kernel(), holder.pid)
    require(page_out.probe())
    before = resident_bytes(holder.pid)
    page_out.apply(ReclaimState(take_bytes=48 * MIB))
    unmapped = before - resident_bytes(holder.pid)
    assert 48 * MIB <= unmapped <= 80 * MIB
    assert page_out.last is not None
    # What waits in the swap cache has not come back.
    assert 0 <= page_out.last.taken_bytes <= unmapped
    assert (page_out.read().taken_bytes or 0) >= 48 * MIB
    assert holder.poll() is None


def test_nothing_is_paged_out_without_swap(holder: subprocess.Popen[bytes]) -> None:
    if read_swaps(Kernel()):
        pytest.skip("this host has swap")
    assert "add swap" in PageOut(Kernel(), holder.pid).probe().why
