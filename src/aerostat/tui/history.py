"""A guest's past as characters: memory by kind, and lines of one row each."""

import math
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from aerostat.tui.glyphs import BALLOONED, OF_GUEST, TARGET, parts, size

_LEVELS = " ▁▂▃▄▅▆▇█"
_LABEL = 10
_CHART = ("actual_bytes", "used_bytes", "cache_bytes", "free_bytes", "target_bytes")


def memory_chart(past: dict[str, Any], *, most: float, width: int, height: int) -> Text:
    """Memory by kind over time, up to max; ─ is the target."""
    across = width - _LABEL
    columns = {name: binned(past, name, across) for name in _CHART}
    stacks = [
        _stack([columns[name][at] for name in _CHART], most=most, height=height)
        for at in range(across)
    ]
    lines = []
    for level in reversed(range(height)):
        top = level == height - 1
        label = size(most) if top else size(0) if level == 0 else ""
        line = Text.assemble((f"{label:>{_LABEL - 1}} ", "dim"))
        for glyph, style in (stack[level] for stack in stacks):
            line.append(glyph, style=style)
        lines.append(line)
    return Text("\n").join(lines)


def _stack(figures: Sequence[float | None], *, most: float, height: int) -> list[tuple[str, str]]:
    """One column from the bottom up."""
    actual, used, cache, free, target = figures
    if actual is None:
        return [(" ", "")] * height
    cells = [(BALLOONED.glyph, BALLOONED.style)] * height
    reached, done = 0.0, 0
    for kind, part in zip(OF_GUEST, parts(actual, used, cache, free), strict=True):
        reached += part
        until = min(height, round(height * reached / most))
        cells[done:until] = [(kind.glyph, kind.style)] * (until - done)
        done = max(done, until)
    if target is not None:
        cells[min(height - 1, max(0, math.ceil(height * target / most) - 1))] = (
            "─",
            TARGET.style,
        )
    return cells


def line_of(past: dict[str, Any], name: str, *, width: int) -> tuple[str, float | None, float]:
    """A figure over time in one row, what it is now and was at most; empty if nobody told it."""
    values = binned(past, name, width)
    known = [value for value in values if value is not None]
    if not known:
        return "", None, 0.0
    top = max(*known, 1e-9)
    levels = len(_LEVELS) - 1
    drawn = "".join(
        " " if value is None else _LEVELS[min(levels, math.ceil(levels * value / top))]
        for value in values
    )
    return drawn, known[-1], max(known)


def binned(past: dict[str, Any], name: str, bins: int) -> list[float | None]:
    """The last value of each of so many equal spans; where there is none, the one before."""
    at, column = past.get("at") or [], past.get(name)
    values: list[float | None] = [None] * bins
    if not at or column is None or bins <= 0:
        return values
    span_s = max(at[-1] - at[0], 1e-9)
    for when, value in zip(at, column, strict=True):
        values[min(bins - 1, int(bins * (when - at[0]) / span_s))] = value
    for place in range(1, bins):
        if values[place] is None:
            values[place] = values[place - 1]
    return values
