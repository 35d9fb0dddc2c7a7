"""Bars of memory: how many cells of a row each part gets, and in which style."""

from collections.abc import Sequence

from rich.text import Text

from aerostat.lab.live.glyphs import Glyphs
from aerostat.lab.live.picture import GuestPicture

STYLES = {
    "used": "#4f93da",
    "cache": "#86b6e2",
    "free": "#67b26f",
    "unknown": "#8b96a0",
    "ballooned": "dim",
    "target": "bold",
    "over": "bold red",
}


def guest_bar(guest: GuestPicture, *, scale_bytes: int, width: int, glyphs: Glyphs) -> Text:
    """Used, cache, free and ballooned from left to right, and a mark at the target."""
    bar = _filled(_parts(guest, glyphs), scale_bytes=scale_bytes, width=width)
    return _marked(bar, guest.target_bytes, scale_bytes=scale_bytes, glyphs=glyphs)


def _parts(guest: GuestPicture, glyphs: Glyphs) -> list[tuple[str, str, int]]:
    """Style, glyph and size of each part; the sum never exceeds the guest's max."""
    if guest.actual_bytes is None:
        return []
    parts, left_bytes = [], guest.actual_bytes
    for style, glyph, size_bytes in (
        ("used", glyphs.used, guest.used_bytes),
        ("cache", glyphs.cache, guest.cache_bytes),
        ("free", glyphs.free, guest.free_bytes),
    ):
        taken_bytes = min(left_bytes, size_bytes or 0)
        parts.append((style, glyph, taken_bytes))
        left_bytes -= taken_bytes
    parts.append(("unknown", glyphs.unknown, left_bytes))
    parts.append(("ballooned", glyphs.ballooned, guest.ballooned_bytes or 0))
    return parts


def host_bar(
    given_bytes: int | None,
    budget_bytes: int | None,
    *,
    scale_bytes: int,
    width: int,
    glyphs: Glyphs,
) -> Text:
    """What the guests were given, and a mark at the budget; red when it is over."""
    given = given_bytes or 0
    is_over = budget_bytes is not None and given > budget_bytes
    parts = [("over" if is_over else "used", glyphs.used, given)]
    parts.append(("free", glyphs.free, max(0, (budget_bytes or scale_bytes) - given)))
    bar = _filled(parts, scale_bytes=scale_bytes, width=width)
    return _marked(bar, budget_bytes, scale_bytes=scale_bytes, glyphs=glyphs)


def _filled(parts: Sequence[tuple[str, str, int]], *, scale_bytes: int, width: int) -> Text:
    # Cells end where the running sum ends, so rounding never makes a bar longer or shorter.
    bar, cells, sum_bytes = Text(no_wrap=True), 0, 0
    for style, glyph, size_bytes in parts:
        sum_bytes += size_bytes
        end = min(width, round(width * sum_bytes / scale_bytes))
        bar.append(glyph * max(0, end - cells), style=STYLES[style])
        cells = max(cells, end)
    bar.append(" " * (width - cells))
    return bar


def _marked(bar: Text, at_bytes: int | None, *, scale_bytes: int, glyphs: Glyphs) -> Text:
    if at_bytes is None:
        return bar
    width = len(bar)
    cell = min(width - 1, max(0, round(width * at_bytes / scale_bytes) - 1))
    return Text.assemble(bar[:cell], (glyphs.target, STYLES["target"]), bar[cell + 1 :])


def legend(glyphs: Glyphs) -> Text:
    """What the characters mean."""
    text = Text(no_wrap=True)
    for style, glyph, word in (
        ("used", glyphs.used, "used"),
        ("cache", glyphs.cache, "cache"),
        ("free", glyphs.free, "free"),
        ("ballooned", glyphs.ballooned, "in the balloon"),
        ("target", glyphs.target, "target, budget"),
    ):
        text.append(glyph, style=STYLES[style]).append(f" {word}   ", style="dim")
    return text
