"""Durations as people write them: ``500ms``, ``10s``, ``5m``, ``1h``."""

import re

_FACTORS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*")


def parse_duration(text: str) -> float:
    """Read a duration and return seconds.

    Raises:
        ValueError: the text is not a duration; the message says what would be.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not a duration: write a number and a unit, such as 500ms, 10s, 5m or 1h"
        )
    number, unit = match.groups()
    return float(number) * _FACTORS_S[unit]


def format_duration(duration_s: float) -> str:
    """Write seconds for people."""
    if duration_s < 1:
        return f"{duration_s * 1000:.0f} ms"
    if duration_s < 120:
        return f"{duration_s:.1f} s" if duration_s < 10 else f"{duration_s:.0f} s"
    if duration_s < 7200:
        return f"{duration_s / 60:.0f} min"
    return f"{duration_s / 3600:.1f} h"
