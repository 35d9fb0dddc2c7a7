"""A host made of files, with knobs as the kernel has them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.undo_log import BOOT_ID, UndoLog

FILES = {
    "/proc/meminfo": "MemTotal: 4000000 kB\nMemFree: 900000 kB\nMemAvailable: 1000000 kB\n"
    "Cached: 1000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nZswap: 1000 kB\nZswapped: 3000 kB\n",
    "/proc/vmstat": "pswpin 10\npswpout 20\nzswpin 30\nzswpout 40\n",
    "/proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 1000 100 -2\n",
    "/proc/77/stat": "77 (ksmd) S 2 0 0 0 -1 0 0 0 0 0 250 50 0 0 25 5 1 0\n",
    "/proc/78/stat": "78 (kswapd0) S 2 0 0 0 -1 0 0 0 0 0 100 0 0 0 25 5 1 0\n",
    BOOT_ID: "boot-1\n",
    "/sys/kernel/mm/ksm/run": "0\n",
    "/sys/kernel/mm/ksm/pages_to_scan": "100\n",
    "/sys/kernel/mm/ksm/sleep_millisecs": "20\n",
    "/sys/kernel/mm/ksm/pages_sharing": "1000\n",
    "/sys/kernel/mm/ksm/general_profit": "4000000\n",
    "/sys/kernel/mm/ksm/advisor_mode": "[none] scan-time\n",
    "/sys/kernel/mm/ksm/advisor_target_scan_time": "200\n",
    "/sys/module/zswap/parameters/enabled": "N\n",
    "/sys/module/zswap/parameters/compressor": "lzo\n",
    "/sys/module/zswap/parameters/max_pool_percent": "20\n",
    "/sys/module/zswap/parameters/shrinker_enabled": "N\n",
}


class FakeKernel(Kernel):
    """Files in a folder; writes in the order they came; tools that only say what was asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.written: list[tuple[str, str]] = []
        self.ran: list[Sequence[str]] = []

    def write(self, name: str, text: str, *, may_fall_short: bool = False) -> None:
        super().write(name, text, may_fall_short=may_fall_short)
        self.written.append((name, text))

    def run(self, command: Sequence[str]) -> None:
        self.ran.append(command)


@pytest.fixture
def kernel(tmp_path: Path) -> FakeKernel:
    fake = FakeKernel(tmp_path / "host")
    for name, text in FILES.items():
        path = fake.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return fake


@pytest.fixture
def log(tmp_path: Path, kernel: FakeKernel) -> UndoLog:
    return UndoLog(tmp_path / "state/undo.json", kernel)


def knobs(kernel: Kernel) -> dict[str, str]:
    """What all knobs read."""
    return {name: kernel.read(name) for name in FILES if name.startswith("/sys")}
