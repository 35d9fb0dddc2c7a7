"""How much of the machine's processors others used while an arm ran: such a run says nothing."""

import os
import resource
from dataclasses import dataclass, replace
from pathlib import Path

from aerostat.lab.recording import ArmRecording

_BUSY = (0, 1, 2, 5, 6, 7)  # of the fields after "cpu": user, nice, system, irq, softirq, steal

FOREIGN_CORES_MAX = 0.25
"""More than this, and the arm is not judged: it measured the neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuUse:
    """CPU seconds so far: of the whole machine, and of what belongs to the experiment."""

    busy_s: float
    ours_s: float


def parse_busy_s(stat: str, ticks_per_s: int) -> float:
    """CPU seconds that the machine was busy, and those its own host took away, since boot."""
    fields = stat.splitlines()[0].split()[1:]
    return sum(int(fields[i]) for i in _BUSY if i < len(fields)) / ticks_per_s


def read_cpu_use(guests_cpu_s: float | None, kernel_cpu_s: float) -> CpuUse:
    """Read now.

    Args:
        guests_cpu_s: of the VMs' processes.
        kernel_cpu_s: of kernel threads that work for the experiment.
    """
    stat = Path("/proc/stat").read_text()
    own = resource.getrusage(resource.RUSAGE_SELF)
    ours = own.ru_utime + own.ru_stime + (guests_cpu_s or 0.0) + kernel_cpu_s
    return CpuUse(busy_s=parse_busy_s(stat, os.sysconf("SC_CLK_TCK")), ours_s=ours)


def foreign_cores(before: CpuUse, after: CpuUse, elapsed_s: float) -> float:
    """Cores that others kept busy, on average."""
    foreign_s = (after.busy_s - before.busy_s) - (after.ours_s - before.ours_s)
    return max(0.0, foreign_s / elapsed_s) if elapsed_s > 0 else 0.0


def judged_by_load(played: ArmRecording, foreign: float) -> ArmRecording:
    """The arm, void if others kept too much of the machine busy meanwhile."""
    why = played.why_invalid
    if foreign > FOREIGN_CORES_MAX and why is None:
        why = f"others kept {foreign:.2f} cores busy meanwhile"
    return replace(played, why_invalid=why, foreign_cores=foreign)
