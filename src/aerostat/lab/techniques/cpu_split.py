"""Where an arm's processor time went: the balancer, threads of the kernel, the VMs.

Compression has no thread of its own. It is done by whoever reclaims: kswapd, the lab's thread that
sets the limit (``reclaim``), and the VMs' own threads, whose time in the kernel is told apart.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.kernel_thread import read_cpu_s
from aerostat.host.techniques.vmstat_counts import bytes_of, read_vmstat

_UTIME, _STIME = 11, 12  # of the fields that follow the name in /proc/PID/stat


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSpent:
    """Totals so far: seconds by what spent them, and what compression moved."""

    seconds: Mapping[str, float]
    zswap_in_bytes: int | None
    zswap_out_bytes: int | None


def read_spent(kernel: Kernel, pids: Sequence[int], reclaim_s: float) -> HostSpent:
    """Read now.

    Args:
        kernel: of the host.
        pids: of the VMs' processes.
        reclaim_s: that the lab's own thread spent in reclaim.
    """
    user = system = 0
    for pid in pids:
        fields = (kernel.read_if_any(f"/proc/{pid}/stat") or "").rpartition(") ")[2].split()
        if len(fields) > _STIME:
            user += int(fields[_UTIME])
            system += int(fields[_STIME])
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    counts = read_vmstat(kernel)
    return HostSpent(
        seconds={
            "ksmd": read_cpu_s(kernel, "ksmd") or 0.0,
            "kswapd": read_cpu_s(kernel, "kswapd") or 0.0,
            "reclaim": reclaim_s,
            "vm_kernel": system * tick_s,
            "vm_guest": user * tick_s,
        },
        zswap_in_bytes=bytes_of(counts, "zswpin"),
        zswap_out_bytes=bytes_of(counts, "zswpout"),
    )


def split_of(
    before: HostSpent, after: HostSpent, daemon_cpu_s: float | None
) -> Mapping[str, float]:
    """Seconds between two readings, the balancer's own first."""
    spent = {name: after.seconds[name] - before.seconds[name] for name in after.seconds}
    return spent if daemon_cpu_s is None else {"daemon": daemon_cpu_s, **spent}


def gone_by(before: int | None, after: int | None) -> int | None:
    """What a counter went on by."""
    return None if before is None or after is None else max(0, after - before)
