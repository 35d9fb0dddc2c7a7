"""One row of the table: a guest as text, in as many columns as the terminal has room for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from aerostat.present.printable import printable
from aerostat.tui.glyphs import OF_GUEST, TARGET, parts, size, stacked

PADDING = 2
"""Blanks around a cell."""
SCROLLBAR = 2
SHORT = "bold #ff7582"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the table."""

    name: str
    width: int
    cell: Callable[[dict[str, Any], int], Text]
    is_figure: bool = True


def columns_for(width: int) -> tuple[Column, ...]:
    """Those that fit; what is left of the width goes to the reasons."""
    is_wide, is_middle = width >= 132, width >= 104
    columns = [
        Column(
            name="VM",
            width=26 if width >= 156 else 18 if is_middle else 14,
            cell=_name,
            is_figure=False,
        ),
        Column(
            name="memory, up to max" if is_middle else "up to max",
            width=24 if is_wide else 18 if is_middle else 12,
            cell=bar,
            is_figure=False,
        ),
        Column(name="holds", width=8, cell=_figure("actual_bytes")),
        Column(name="target", width=10, cell=_target),
    ]
    if is_wide:
        columns.append(Column(name="max", width=8, cell=_figure("max_bytes")))
    if is_middle:
        columns.append(Column(name="needs", width=8, cell=_figure("demand_bytes")))
    taken = sum(column.width + PADDING for column in columns)
    left = max(12, width - SCROLLBAR - taken - PADDING)
    return (*columns, Column(name="why", width=left, cell=_why, is_figure=False))


def row(guest: dict[str, Any], columns: tuple[Column, ...]) -> tuple[Text, ...]:
    """The cells."""
    return tuple(column.cell(guest, column.width) for column in columns)


def _name(guest: dict[str, Any], width: int) -> Text:
    return Text(
        shortened(printable(guest["name"]), width),
        style=SHORT if guest["is_distressed"] else "bold",
    )


def _figure(key: str) -> Callable[[dict[str, Any], int], Text]:
    def cell(guest: dict[str, Any], width: int) -> Text:
        del width
        return Text(size(guest.get(key)), justify="right")

    return cell


def _target(guest: dict[str, Any], width: int) -> Text:
    del width
    if "advised_bytes" in guest:
        return Text(f"({size(guest['advised_bytes'])})", justify="right")
    return Text(size(guest.get("target_bytes")), justify="right")


def _why(guest: dict[str, Any], width: int) -> Text:
    style = SHORT if guest["is_distressed"] else "dim"
    return Text(shortened(words(guest), width), style=style)


def words(guest: dict[str, Any]) -> str:
    """Why, and what an operator ordered."""
    standing = guest.get("order", {}).get("standing")
    told = printable(guest["words"])
    return told if standing is None else f"[{standing}] {told}"


def shortened(text: str, width: int) -> str:
    """What fits, with a sign that there is more."""
    return text if len(text) <= width else text[: width - 1] + "…"


def bar(guest: dict[str, Any], width: int) -> Text:
    """In use, cache, free, not told, ballooned; ┃ is the target."""
    actual = guest.get("actual_bytes")
    whole = max(guest.get("max_bytes") or actual or 0, actual or 0, 1)
    sizes = parts(
        actual,
        guest.get("used_bytes"),
        guest.get("guest_cache_bytes"),
        guest.get("guest_free_bytes"),
    )
    text = stacked(OF_GUEST, sizes, whole, width)
    target = guest.get("target_bytes", guest.get("advised_bytes"))
    if target is not None:
        at = min(width - 1, int(width * target / whole))
        mark = Text(TARGET.glyph, style=TARGET.style)
        text = Text.assemble(text[:at], mark, text[at + 1 :])
    return text


SORTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda guest: guest["name"].lower(),
    "holds": lambda guest: -(guest.get("actual_bytes") or 0),
    "needs": lambda guest: -(guest.get("demand_bytes") or 0),
    "shortage": lambda guest: (
        not guest["is_distressed"],
        guest.get("guest_available_bytes") or 0,
    ),
}
