"""Single counters of /proc/vmstat."""

from aerostat.host.proc_text import parse_count
from aerostat.host.techniques.kernel import Kernel


def read_counts(kernel: Kernel, *names: str) -> dict[str, int]:
    """The counters that this kernel has, by name."""
    found = {}
    for line in (kernel.read_if_any("/proc/vmstat") or "").splitlines():
        name, _, value = line.partition(" ")
        count = parse_count(value) if name in names else None
        if count is not None:
            found[name] = count
    return found
