"""Counters of files that have one a line: /proc/vmstat, and memory.stat of a cgroup."""

import resource

from aerostat.host.proc_text import parse_count
from aerostat.host.techniques.kernel import Kernel


def parse_counts(text: str | None) -> dict[str, int]:
    """All counters of such a file, by name."""
    found = {}
    for line in (text or "").splitlines():
        name, _, value = line.partition(" ")
        count = parse_count(value)
        if count is not None:
            found[name] = count
    return found


def read_vmstat(kernel: Kernel) -> dict[str, int]:
    """The host's counters."""
    return parse_counts(kernel.read_if_any("/proc/vmstat"))


def bytes_of(counts: dict[str, int], name: str) -> int | None:
    """A counter of pages in bytes; None: this kernel does not have it."""
    return counts[name] * resource.getpagesize() if name in counts else None
