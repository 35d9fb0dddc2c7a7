"""Parses /proc/meminfo: the host's own account of its memory."""

from dataclasses import dataclass

from aerostat.host.proc_text import parse_count
from aerostat.ports.errors import SensorError
from aerostat.units import KIB

PATH = "proc/meminfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meminfo:
    """The figures of /proc/meminfo that a balance needs."""

    total_bytes: int
    available_bytes: int
    free_bytes: int
    cache_bytes: int  # file pages and slab the kernel could drop; not tmpfs, not shared memory
    swap_total_bytes: int
    swap_free_bytes: int


def parse_meminfo(text: str) -> Meminfo:
    """Parse the text of /proc/meminfo.

    Raises:
        SensorError: a figure that every kernel since 3.14 reports is missing or not a number.
    """
    figures = _figures(text)

    def required(name: str) -> int:
        if name not in figures:
            raise SensorError(f"/{PATH}", f"has no figure {name}")
        return figures[name]

    # Cached counts tmpfs and shared memory, which no reclaim can drop: they are not cache.
    droppable_bytes = required("Cached") + figures.get("Buffers", 0) - figures.get("Shmem", 0)
    return Meminfo(
        total_bytes=required("MemTotal"),
        available_bytes=required("MemAvailable"),
        free_bytes=required("MemFree"),
        cache_bytes=max(0, droppable_bytes) + figures.get("SReclaimable", 0),
        swap_total_bytes=required("SwapTotal"),
        swap_free_bytes=required("SwapFree"),
    )


def _figures(text: str) -> dict[str, int]:
    """Lines "Name:   123 kB" in bytes; lines without a unit count things and are left out."""
    figures: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        words = rest.split()
        if colon and len(words) == 2 and words[1] == "kB":
            value = parse_count(words[0])
            if value is not None:
                figures[name] = value * KIB
    return figures
