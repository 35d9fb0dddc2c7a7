"""Parses /proc/pressure/memory: how long tasks have waited for memory since boot."""

from dataclasses import dataclass

from aerostat.host.proc_text import parse_count

PATH = "proc/pressure/memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Cumulative seconds; None where the kernel does not say."""

    some_total_s: float | None = None  # at least one task waited
    full_total_s: float | None = None  # all tasks waited


def parse_pressure(text: str) -> Pressure:
    """Parse the text of a PSI file; lines it does not know are left out."""
    totals = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        for field in rest.split():
            key, _, value = field.partition("=")
            count_us = parse_count(value)
            if key == "total" and count_us is not None:
                totals[kind] = count_us / 1e6
    return Pressure(some_total_s=totals.get("some"), full_total_s=totals.get("full"))
