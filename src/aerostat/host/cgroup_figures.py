"""What the kernel counts of one memory cgroup, in v1's words and in v2's.

v1 has no memory.swap.current, memory.high or memory.events: what lies in swap is in its
memory.stat, its only limit is hard, and memory.failcnt counts how often that was hit.
"""

import resource
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aerostat.host.pressure import parse_pressure
from aerostat.host.proc_text import parse_count, read_count_if_any, read_record_if_any
from aerostat.model.sealed import sealed

_NO_LIMIT_BYTES = 1 << 62
"""v1 says "no limit" with the greatest number of whole pages."""


@sealed
class CgroupFigures:
    """One cgroup's memory; counters since it was made. ``None``: it does not say.

    The charge is the measure to believe of what a VM holds: under transparent huge pages RSS and
    PSS fall while the host has got nothing back. It includes page cache that the process filled,
    and not what is in swap.
    """

    charge_bytes: int | None = None
    swap_bytes: int | None = None
    swap_in_bytes: int | None = None  # counter: anonymous pages that came back
    major_faults: int | None = None  # counter, whoever touched the page, KVM's own threads included
    limit_bytes: int | None = None  # the lowest of its limits; of none, absent
    limit_hits: int | None = None  # counter: how often it was held at a limit of its own
    pressure_some_total_s: float | None = None
    pressure_full_total_s: float | None = None
    unsplit_bytes: int | None = None


_NOWHERE = CgroupFigures()


def read_figures(charge: Path | None, *, is_v2: bool, waits: Path | None) -> CgroupFigures:
    """Read a cgroup's files.

    Args:
        charge: the directory where memory is counted; None: nowhere.
        is_v2: which kind that is.
        waits: the directory where waits are counted.
    """
    if charge is None:
        own = _NOWHERE
    elif is_v2:
        own = _v2(charge)
    else:
        own = _v1(charge)
    if waits is None:
        return own
    stalls = parse_pressure(read_record_if_any(f"{waits}/memory.pressure") or "")
    return replace(
        own,
        pressure_some_total_s=stalls.some_total_s,
        pressure_full_total_s=stalls.full_total_s,
    )


def parse_counts(text: str) -> dict[str, int]:
    """Lines "name 123", as in memory.stat and memory.events; others are left out."""
    words = text.split()
    names, values = words[::2], words[1::2]
    digits = "".join(values)
    if len(words) == 2 * text.count("\n") and digits.isascii() and digits.isdigit():
        return dict(zip(names, map(int, values), strict=True))  # all are: read in one go
    counts = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        count = parse_count(value)
        if count is not None:
            counts[name] = count
    return counts


def _v2(group: Path) -> CgroupFigures:
    stat = parse_counts(read_record_if_any(f"{group}/memory.stat") or "")
    events = parse_counts(read_record_if_any(f"{group}/memory.events") or "")
    hits = [events[name] for name in ("high", "max") if name in events]
    limits = [read_count_if_any(f"{group}/{name}") for name in ("memory.high", "memory.max")]
    return CgroupFigures(
        charge_bytes=read_count_if_any(f"{group}/memory.current"),
        swap_bytes=read_count_if_any(f"{group}/memory.swap.current"),
        swap_in_bytes=_read_back(stat, ""),
        major_faults=stat.get("pgmajfault"),
        limit_bytes=min((limit for limit in limits if limit is not None), default=None),
        limit_hits=sum(hits) if hits else None,
        unsplit_bytes=unsplit_bytes(stat, mapped="anon"),
    )


def _v1(group: Path) -> CgroupFigures:
    # What groups below it hold and did is in the figures that begin with "total_".
    stat = parse_counts(read_record_if_any(f"{group}/memory.stat") or "")
    limit = read_count_if_any(f"{group}/memory.limit_in_bytes")
    return CgroupFigures(
        charge_bytes=read_count_if_any(f"{group}/memory.usage_in_bytes"),
        swap_bytes=stat.get("total_swap"),
        swap_in_bytes=_read_back(stat, "total_"),
        major_faults=stat.get("total_pgmajfault"),
        limit_bytes=limit if limit is not None and limit < _NO_LIMIT_BYTES else None,
        limit_hits=read_count_if_any(f"{group}/memory.failcnt"),
        unsplit_bytes=unsplit_bytes(stat, mapped="rss", prefix="total_"),
    )


def unsplit_bytes(stat: Mapping[str, int], *, mapped: str, prefix: str = "") -> int | None:
    """Anonymous memory that is charged, and mapped by nobody.

    Who gives up a part of a huge page is rid of it at once, and the host keeps the whole page until
    it is split. Until then it is on the kernel's lists in full, but no longer counted as mapped.
    Shared memory is on the same lists, and so are pages on their way from or to swap.
    """
    lists = [stat.get(f"{prefix}{name}") for name in ("inactive_anon", "active_anon")]
    own = stat.get(f"{prefix}{mapped}")
    if own is None or None in lists:
        return None
    others = (stat.get(f"{prefix}{name}", 0) for name in ("shmem", "swapcached"))
    return max(0, sum(size or 0 for size in lists) - own - sum(others))


def _read_back(stat: Mapping[str, int], prefix: str) -> int | None:
    """Anonymous pages that came back, from disk, zswap or zram alike (kernel 5.9 and later)."""
    pages = stat.get(f"{prefix}workingset_refault_anon")
    return None if pages is None else pages * resource.getpagesize()
