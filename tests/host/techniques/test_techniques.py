"""Each technique on a host of files: usable or why not, read, applied, and put back."""

import pytest

from aerostat.host.process_memory import Merged
from aerostat.host.techniques.host_swap import HostSwap
from aerostat.host.techniques.ksm import Ksm, KsmState, read_merged
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.host.techniques.zram import Zram
from aerostat.host.techniques.zswap import PARAMETERS as ZSWAP
from aerostat.host.techniques.zswap import V1_LIMIT, Zswap, ZswapState
from aerostat.units import KIB, MIB
from host.techniques.conftest import FakeKernel, knobs

RUN = "/sys/kernel/mm/ksm/run"


def test_ksm_warns_of_what_merging_tells_other_guests(kernel: FakeKernel, log: UndoLog) -> None:
    probe = Ksm(kernel, log).probe()
    assert probe.is_usable
    assert probe.warning is not None
    assert "guest" in probe.warning


def test_ksm_saves_what_the_kernel_says_is_gained(kernel: FakeKernel, log: UndoLog) -> None:
    saving = Ksm(kernel, log).read()
    assert saving.saved_bytes == 4_000_000
    assert saving.cpu_s == pytest.approx(3.0)


def test_ksm_is_applied_and_put_back_in_reverse_with_pages_parted_first(
    kernel: FakeKernel, log: UndoLog
) -> None:
    before = knobs(kernel)
    ksm = Ksm(kernel, log)
    ksm.apply(KsmState(pages_to_scan=1000, sleep_ms=10))
    assert (kernel.read(RUN), kernel.read("/sys/kernel/mm/ksm/pages_to_scan")) == ("1", "1000")
    assert kernel.written[-1] == (RUN, "1"), "it runs when all is set"
    kernel.written.clear()
    assert ksm.restore() == []
    assert kernel.written[:2] == [(RUN, "2"), (RUN, "0")]
    assert knobs(kernel) | {"/sys/kernel/mm/ksm/advisor_mode": "[none] scan-time"} == before


def test_ksm_that_ran_before_runs_on_unparted(kernel: FakeKernel, log: UndoLog) -> None:
    kernel.path(RUN).write_text("1\n")
    ksm = Ksm(kernel, log)
    ksm.apply(KsmState(pages_to_scan=1000))
    assert ksm.restore() == []
    assert (RUN, "2") not in kernel.written
    assert kernel.read(RUN) == "1"


def test_merged_pages_are_not_parted_where_the_host_has_no_room(
    kernel: FakeKernel, log: UndoLog
) -> None:
    ksm = Ksm(kernel, log)
    ksm.apply(KsmState())
    kernel.path("/sys/kernel/mm/ksm/pages_sharing").write_text("1000000\n")
    (remark,) = ksm.restore()
    assert "3906 MiB back" in remark
    assert kernel.read(RUN) == "1", "still as it was, and still in the log"
    kernel.path("/sys/kernel/mm/ksm/pages_sharing").write_text("10\n")
    assert ksm.restore() == []
    assert kernel.read(RUN) == "0"


def test_an_advisor_that_the_kernel_lacks_is_refused(kernel: FakeKernel, log: UndoLog) -> None:
    kernel.path("/sys/kernel/mm/ksm/advisor_mode").unlink()
    with pytest.raises(TechniqueError, match="give pages_to_scan instead"):
        Ksm(kernel, log).apply(KsmState(scan_time_s=30))
    Ksm(kernel, log).apply(KsmState())
    assert kernel.read(RUN) == "1"


def test_merged_bytes_of_one_vm(kernel: FakeKernel) -> None:
    told = "ksm_rmap_items 5\nksm_merging_pages 3\nksm_process_profit -2000\n"
    kernel.path("/proc/77/ksm_stat").write_text(told)
    expected = Merged(merged_bytes=12 * KIB, profit_bytes=-2000)
    assert read_merged(kernel, 77) == expected
    assert read_merged(kernel, 78) == Merged()


def test_zswap_needs_something_to_swap_to(kernel: FakeKernel, log: UndoLog) -> None:
    zswap = Zswap(kernel, log)
    assert zswap.probe().is_usable
    kernel.path("/proc/swaps").write_text("Filename\n")
    assert "add swap" in zswap.probe().why


def test_zswap_is_read_applied_and_put_back(kernel: FakeKernel, log: UndoLog) -> None:
    before = knobs(kernel)
    zswap = Zswap(kernel, log)
    assert zswap.read().saved_bytes == 2000 * KIB
    zswap.apply(ZswapState(compressor="zstd", pool_ratio_max=0.3))
    assert kernel.written[-1] == (f"{ZSWAP}/enabled", "Y"), "it is switched on when all is set"
    assert kernel.read(f"{ZSWAP}/shrinker_enabled") == "Y", "what is cold makes room in the pool"
    assert zswap.restore() == []
    assert knobs(kernel) == before


def test_where_cgroup_v1_limits_memory_nothing_is_written_back(
    kernel: FakeKernel, log: UndoLog
) -> None:
    limit = kernel.path(V1_LIMIT)
    limit.parent.mkdir(parents=True)
    limit.write_text("9223372036854771712\n")
    Zswap(kernel, log).apply(ZswapState())
    assert kernel.read(f"{ZSWAP}/enabled") == "Y"
    assert kernel.read(f"{ZSWAP}/shrinker_enabled") == "N"


def test_a_kernel_that_cannot_write_back_compresses_all_the_same(
    kernel: FakeKernel, log: UndoLog
) -> None:
    kernel.path(f"{ZSWAP}/shrinker_enabled").unlink()
    Zswap(kernel, log).apply(ZswapState())
    assert kernel.read(f"{ZSWAP}/enabled") == "Y"


@pytest.mark.parametrize("ratio", [0.0, 0.004, 0.51, 2.0])
def test_an_absurd_pool_is_refused(kernel: FakeKernel, log: UndoLog, ratio: float) -> None:
    with pytest.raises(TechniqueError, match="1 % to 50 %"):
        Zswap(kernel, log).apply(ZswapState(pool_ratio_max=ratio))
    assert kernel.written == []


def test_what_a_kernel_lacks_is_told_with_the_way_out(kernel: FakeKernel, log: UndoLog) -> None:
    for name in ("/sys/kernel/mm/ksm/run", "/sys/module/zswap/parameters/enabled"):
        kernel.path(name).unlink()
    assert "CONFIG_KSM" in Ksm(kernel, log).probe().why
    assert "CONFIG_ZSWAP" in Zswap(kernel, log).probe().why
    assert "modprobe zram" in Zram(kernel, log).probe().why


def test_swap_is_read_without_zram(kernel: FakeKernel, log: UndoLog) -> None:
    kernel.path("/proc/swaps").write_text(
        "Filename Type Size Used Priority\n/dev/sda2 partition 1000 100 -2\n"
        "/dev/zram0 partition 500 50 100\n/swap\\040file file 10 1 -3\n"
    )
    kernel.path("/sys/block/zram0").mkdir(parents=True)
    kernel.path("/sys/block/zram0/mm_stat").write_text("51200 20000 24000 0 24000 0 0 0 0\n")
    assert HostSwap(kernel, log).read().taken_bytes == 101 * KIB
    assert Zram(kernel, log).read().saved_bytes == 51200 - 24000
    assert "/swap file" in HostSwap(kernel, log).probe().why
    assert HostSwap(kernel, log).read().cpu_s == pytest.approx(1.0)


def test_swap_is_not_ended_where_the_host_has_no_room(kernel: FakeKernel, log: UndoLog) -> None:
    log_of_swap = HostSwap(kernel, log)
    log_of_swap._changes.swap_on("/dev/sdb", priority=5)
    assert kernel.ran == [["swapon", "--priority", "5", "/dev/sdb"]]
    line = "/dev/sdb partition 9000000 2000000 5\n"
    swaps = kernel.path("/proc/swaps")
    swaps.write_text(swaps.read_text() + line)
    (remark,) = log_of_swap.restore()
    assert "1953 MiB back" in remark
    assert kernel.ran[1:] == []
    swaps.write_text(swaps.read_text().replace("2000000", str(MIB // KIB)))
    assert log_of_swap.restore() == []
    assert kernel.ran[1:] == [["swapoff", "/dev/sdb"]]
