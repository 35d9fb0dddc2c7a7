"""Parses what the kernel says of one process's memory, in files of /proc/PID."""

import resource
from dataclasses import dataclass

from aerostat.host.proc_text import parse_count
from aerostat.units import KIB


def parse_rss(statm: str, *, page_bytes: int | None = None) -> int | None:
    """Resident bytes, from the text of /proc/PID/statm. Huge pages of hugetlbfs are not in it."""
    fields = statm.split()
    pages = parse_count(fields[1]) if len(fields) > 1 else None
    size_bytes = page_bytes if page_bytes is not None else resource.getpagesize()
    return pages * size_bytes if pages is not None else None


def parse_kilobytes(text: str, *, name: str) -> int | None:
    """The figure on the line "name:  123 kB", in bytes (/proc/PID/status, smaps_rollup)."""
    # Looked for, not read line by line: hundreds of these texts come by in every round.
    head = f"{name}:"
    begin = 0 if text.startswith(head) else text.find(f"\n{head}") + 1
    if begin == 0 and not text.startswith(head):
        return None
    begin += len(head)
    end = text.find("\n", begin)
    words = text[begin : end if end >= 0 else len(text)].split()
    value = parse_count(words[0]) if len(words) == 2 and words[1] == "kB" else None
    return None if value is None else value * KIB


def parse_major_faults(stat: str) -> int | None:
    """Pages of all threads that had to be fetched, from the text of /proc/PID/stat; cumulative."""
    # The process's name stands in parentheses and may hold anything, parentheses included.
    fields = stat.rpartition(")")[2].split(None, 10)
    return parse_count(fields[9]) if len(fields) > 9 else None


def parse_unreclaimable(status: str) -> int | None:
    """Bytes that no technique can take: locked or pinned, and huge pages; of /proc/PID/status.

    What is locked may be pinned as well and counts once.
    """
    locked = parse_kilobytes(status, name="VmLck")
    if locked is None:
        return None
    pinned = parse_kilobytes(status, name="VmPin") or 0
    return max(locked, pinned) + (parse_kilobytes(status, name="HugetlbPages") or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What merging (KSM) does for one process. None: the kernel does not say (before 6.1)."""

    merged_bytes: int | None = None  # of its pages, that share a copy
    profit_bytes: int | None = None  # saved by that, less what keeping track of it takes


def parse_merged(ksm_stat: str) -> Merged:
    """From the text of /proc/PID/ksm_stat."""
    told = {}
    for line in ksm_stat.splitlines():
        name, _, value = line.partition(" ")
        if value.lstrip("-").isdigit():
            told[name] = int(value)
    pages = told.get("ksm_merging_pages")
    return Merged(
        merged_bytes=None if pages is None else pages * resource.getpagesize(),
        profit_bytes=told.get("ksm_process_profit"),
    )
