"""The characters bars and sparklines are made of, in Unicode and in plain ASCII."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One character a meaning: a bar can be read without colour."""

    used: str
    cache: str
    free: str
    unknown: str  # held, but the guest does not say for what
    ballooned: str
    target: str
    done: str
    to_do: str
    spark: str  # from nothing to everything
    arrow: str
    absent: str


UNICODE = Glyphs(
    used="█",
    cache="▓",
    free="░",
    unknown="▒",
    ballooned="·",
    target="┃",
    done="━",
    to_do="─",
    spark="▁▂▃▄▅▆▇█",
    arrow="→",
    absent="–",  # noqa: RUF001 - a dash for "nothing here", not a minus
)
ASCII = Glyphs(
    used="#",
    cache="=",
    free="-",
    unknown="?",
    ballooned=".",
    target="|",
    done="=",
    to_do="-",
    spark="_.:-=+*#",
    arrow="->",
    absent="-",
)


def sparkline(ratios: Sequence[float | None], *, width: int, glyphs: Glyphs) -> str:
    """The newest ``width`` values of 0..1 as a row of marks; a gap is a space."""
    top = len(glyphs.spark) - 1
    marks = [
        " " if ratio is None else glyphs.spark[round(min(1.0, max(0.0, ratio)) * top)]
        for ratio in ratios[-width:]
    ]
    return "".join(marks).rjust(width)
