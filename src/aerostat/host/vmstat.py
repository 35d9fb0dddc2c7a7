"""Parses /proc/vmstat: the host's own swap traffic since boot."""

import resource
from dataclasses import dataclass

from aerostat.host.proc_text import parse_count

PATH = "proc/vmstat"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapTraffic:
    """Bytes moved since boot; None where the kernel does not say."""

    in_bytes: int | None = None
    out_bytes: int | None = None


def parse_vmstat(text: str, *, page_bytes: int | None = None) -> SwapTraffic:
    """Parse the text of /proc/vmstat, whose swap counters are in the host's own pages."""
    size_bytes = page_bytes if page_bytes is not None else resource.getpagesize()
    counts: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name in ("pswpin", "pswpout"):
            count = parse_count(value)
            if count is not None:
                counts[name] = count * size_bytes
    return SwapTraffic(in_bytes=counts.get("pswpin"), out_bytes=counts.get("pswpout"))
