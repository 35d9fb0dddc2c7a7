"""What happened last, newest first, below the table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from aerostat.present.printable import printable
from aerostat.tui.rows import SHORT, shortened

_NAME = 14
_KIND = 14
_UNTOLD = "balloon_moved"
"""That a balloon has moved shows in what its guest holds."""


def happened_text(events: Sequence[dict[str, Any]], *, width: int, lines: int) -> Text:
    """The last of them, a line each."""
    shown = [event for event in reversed(events) if event["kind"] != _UNTOLD][:lines]
    if not shown:
        return Text("Nothing has happened in the last hour.", style="dim")
    return Text("\n").join(_line(event, width) for event in shown)


def _line(event: dict[str, Any], width: int) -> Text:
    at = datetime.fromisoformat(event["at"]).astimezone(tz=None)
    name = shortened(printable(str(event.get("name") or "daemon")), _NAME)
    style = SHORT if event.get("reason") == "released_for_distress" else ""
    kind = str(event["kind"]).replace("_", " ")
    line = Text.assemble(
        (f"{at:%H:%M:%S}  ", "dim"),
        (f"{name:<{_NAME}}  ", "bold"),
        (f"{kind:<{_KIND}}  ", "dim"),
        (printable(str(event["words"])), style),
    )
    line.truncate(width, overflow="ellipsis")
    return line
