"""Kinds of memory as they are drawn: each can be told from the others without colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from aerostat.present.wording import ABSENT
from aerostat.units import format_size


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind."""

    words: str
    glyph: str
    style: str


USED = Kind("guest in use", "█", "#4f93da")
CACHE = Kind("guest cache", "▓", "#6fb7d6")
FREE = Kind("guest free", "░", "#58b368")
UNKNOWN = Kind("not told", "▒", "grey62")
BALLOONED = Kind("ballooned", "·", "grey42")
TARGET = Kind("target", "┃", "bold")
OF_GUEST = (USED, CACHE, FREE, UNKNOWN)


def size(size_bytes: float | None) -> str:
    """A size, or a dash."""
    return ABSENT if size_bytes is None else format_size(round(size_bytes))


def stacked(kinds: Sequence[Kind], sizes: Sequence[float], whole: float, width: int) -> Text:
    """A bar of so many characters, each kind as long as its share; what is left is ballooned."""
    text, reached, done = Text(), 0.0, 0
    for kind, part in zip(kinds, sizes, strict=True):
        reached += part
        until = min(width, round(width * reached / whole)) if whole > 0 else done
        text.append(kind.glyph * (until - done), style=kind.style)
        done = max(done, until)
    text.append(BALLOONED.glyph * (width - done), style=BALLOONED.style)
    return text


def parts(
    actual: float | None, used: float | None, cache: float | None, free: float | None
) -> tuple[float, float, float, float]:
    """What a guest holds, by kind; they add up to it, whatever the guest says."""
    held = actual or 0
    in_use = min(used or 0, held)
    cached = min(cache or 0, held - in_use)
    lies_free = min(free or 0, held - in_use - cached)
    return in_use, cached, lies_free, held - in_use - cached - lies_free
