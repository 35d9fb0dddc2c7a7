"""What a thread of the kernel has cost: its CPU time."""

import os

from aerostat.host.techniques.kernel import Kernel

_UTIME, _STIME = 11, 12  # of the fields that follow the name in /proc/PID/stat


def read_cpu_s(kernel: Kernel, name: str) -> float | None:
    """CPU seconds since boot of all kernel threads of this name; None: there is none.

    kswapd has one thread a NUMA node; its name is followed by the node's number.
    """
    found = [
        ticks
        for directory in kernel.path("/proc").iterdir()
        if directory.name.isdigit()
        for thread, ticks in [_of(kernel, directory.name)]
        if thread.rstrip("0123456789") == name
    ]
    return sum(found) / os.sysconf("SC_CLK_TCK") if found else None


def cpu_s_of(kernel: Kernel, pid: int) -> float | None:
    """CPU seconds so far of one thread of the kernel; None: it is gone."""
    name, ticks = _of(kernel, str(pid))
    return ticks / os.sysconf("SC_CLK_TCK") if name else None


def _of(kernel: Kernel, pid: str) -> tuple[str, int]:
    """A thread's name and the ticks it has taken; no name: it is gone."""
    before, _, rest = (kernel.read_if_any(f"/proc/{pid}/stat") or "").rpartition(") ")
    fields = rest.split()
    if not before:
        return "", 0
    return before.partition("(")[2], int(fields[_UTIME]) + int(fields[_STIME])
