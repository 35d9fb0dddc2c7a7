"""Sizes and durations: their units, how they are read and how they are written."""

from aerostat.units.durations import format_duration, parse_duration
from aerostat.units.sizes import GIB, KIB, MIB, PAGE_BYTES, format_size, parse_size

__all__ = [
    "GIB",
    "KIB",
    "MIB",
    "PAGE_BYTES",
    "format_duration",
    "format_size",
    "parse_duration",
    "parse_size",
]
