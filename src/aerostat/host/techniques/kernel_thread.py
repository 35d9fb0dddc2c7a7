"""What a thread of the kernel has cost: its CPU time."""

import os

from aerostat.host.techniques.kernel import Kernel

_UTIME, _STIME = 11, 12  # of the fields that follow the name in /proc/PID/stat


def read_cpu_s(kernel: Kernel, name: str) -> float | None:
    """CPU seconds since boot of all kernel threads of this name; None: there is none.

    kswapd has one thread a NUMA node; its name is followed by the node's number.
    """
    total_ticks, is_found = 0, False
    for directory in kernel.path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        text = kernel.read_if_any(f"/proc/{directory.name}/stat")
        before, _, rest = (text or "").rpartition(") ")
        if before.partition("(")[2].rstrip("0123456789") == name:
            fields = rest.split()
            total_ticks += int(fields[_UTIME]) + int(fields[_STIME])
            is_found = True
    return total_ticks / os.sysconf("SC_CLK_TCK") if is_found else None
