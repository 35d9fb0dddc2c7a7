"""One row of the table: a guest as text, with a bar that can be read without colour."""

from typing import Any

from rich.text import Text

from aerostat.present.printable import printable
from aerostat.present.wording import ABSENT
from aerostat.units import format_size

BAR = 24
COLUMNS = ("VM", "memory, up to max", "holds", "target", "max", "needs", "why")
_KINDS = (("used", "█", "blue"), ("cache", "▓", "cyan"), ("free", "░", "green"), ("rest", "▒", ""))


def row(guest: dict[str, Any]) -> tuple[Text, ...]:
    """The cells, in the order of ``COLUMNS``."""
    style = "bold red" if guest["is_distressed"] else ""
    target = size(guest.get("target_bytes"))
    if "advised_bytes" in guest:
        target = f"({size(guest['advised_bytes'])})"
    numbers = (size(guest.get("actual_bytes")), target, size(guest.get("max_bytes")))
    return (
        Text(printable(guest["name"])[:28], style=style or "bold"),
        bar(guest),
        *(Text(number, justify="right") for number in numbers),
        Text(size(guest.get("demand_bytes")), justify="right"),
        Text(words(guest), style=style or "dim"),
    )


def words(guest: dict[str, Any]) -> str:
    """Why, and what an operator ordered."""
    standing = guest.get("order", {}).get("standing")
    told = printable(guest["words"])
    return told if standing is None else f"[{standing}] {told}"


def size(size_bytes: int | None) -> str:
    """A size, or a dash."""
    return ABSENT if size_bytes is None else format_size(size_bytes)


def bar(guest: dict[str, Any]) -> Text:
    """Used, cache, free, not told, ballooned; ┃ is the target."""
    actual = guest.get("actual_bytes") or 0
    whole = max(guest.get("max_bytes") or actual, actual, 1)
    used = min(guest.get("used_bytes") or 0, actual)
    cache = min(guest.get("guest_cache_bytes") or 0, actual - used)
    free = min(guest.get("guest_free_bytes") or 0, actual - used - cache)
    sizes = (used, cache, free, actual - used - cache - free)
    text, done = Text(), 0
    reached = 0
    for (_, glyph, colour), part in zip(_KINDS, sizes, strict=True):
        reached += part
        until = round(BAR * reached / whole)
        text.append(glyph * (until - done), style=colour)
        done = until
    text.append("·" * (BAR - done), style="dim")
    target = guest.get("target_bytes", guest.get("advised_bytes"))
    if target is not None:
        at = min(BAR - 1, int(BAR * target / whole))
        text = Text.assemble(text[:at], Text("┃", style="bold"), text[at + 1 :])
    return text


SORTS = {
    "name": lambda guest: guest["name"].lower(),
    "holds": lambda guest: -(guest.get("actual_bytes") or 0),
    "needs": lambda guest: -(guest.get("demand_bytes") or 0),
    "pressure": lambda guest: (not guest["is_distressed"], guest.get("guest_available_bytes") or 0),
}
