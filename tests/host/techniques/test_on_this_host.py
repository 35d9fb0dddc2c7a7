"""Techniques on the real kernel: switched on, killed half-way, put back by who comes after."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostat.host.techniques.changes import undo
from aerostat.host.techniques.host_swap import HostSwap, SwapState
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.ksm import Ksm
from aerostat.host.techniques.swaps import read_swaps
from aerostat.host.techniques.technique import Probe, TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.zram import Zram, ZramState
from aerostat.host.techniques.zswap import PARAMETERS, Zswap, ZswapState
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
        *(f"{PARAMETERS}/{n}" for n in ("enabled", "compressor", "max_pool_percent")),
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
