"""What the host keeps for itself, and what its VMs together may ask of the rest."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from aerostat.doctor.finding import Finding, Grade
from aerostat.doctor.vm_verdict import VmReport
from aerostat.engine.params import HostParams
from aerostat.host.meminfo import parse_meminfo
from aerostat.host.proc_text import read_text_if_any
from aerostat.units import format_size


def promised(root: Path, vms: Sequence[VmReport]) -> Iterator[Finding]:
    """The memory reserve, and how far the VMs' sizes go beyond what is left."""
    text = read_text_if_any(root / "proc/meminfo")
    if text is None:
        return
    memory = parse_meminfo(text)
    reserve_bytes = HostParams().reserve.of(memory.total_bytes)
    says = (
        f"by default {format_size(reserve_bytes)} are kept for the host (10 %); "
        f"{format_size(memory.available_bytes)} are available"
    )
    if memory.available_bytes < reserve_bytes:
        fix = "start no more VMs; aerostat run --mode enforce takes what VMs do not need"
        yield Finding(check="reserve", grade=Grade.ADVICE, says=says, fix=fix)
    else:
        yield Finding(check="reserve", grade=Grade.GOOD, says=says)
    sizes = [vm.facts.monitor.max_bytes for vm in vms if vm.facts.monitor is not None]
    known = [size for size in sizes if size is not None]
    if known:
        ratio = sum(known) / max(1, memory.total_bytes - reserve_bytes)
        says = (
            f"{len(known)} VMs may hold {format_size(sum(known))}, "
            f"{ratio:.0%} of the host's memory for guests"
        )
        yield Finding(check="promised", grade=Grade.GOOD, says=says)
