"""``aerostat status`` (also ``list``): the running daemon's own picture, live."""

from contextlib import closing
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aerostat.cli.asked import Ca, Daemon, SocketPath, Url
from aerostat.cli.options import Output, OutputFormat
from aerostat.cli.watching import Watch, present
from aerostat.present.printable import printable
from aerostat.present.wording import ABSENT
from aerostat.units import format_duration, format_size

FIGURE_WIDTH = 8
"""``1023 MiB``; what is told of it stands above in two lines."""
WHY_WIDTH_MIN = 12
NAME_WIDTH_MIN = 8
WIDE = 110
NARROW = 62
"""Narrower than that, and four figures leave no room for a name and a reason."""


def status(
    watch: Watch = False,
    socket: SocketPath = None,
    url: Url = None,
    ca: Ca = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show host and VMs as the running daemon sees them."""
    with closing(Daemon(socket, url, ca)) as daemon:
        present(
            lambda: daemon.get("/v1/state"),
            lambda state, width: picture(state, width=width),
            output,
            watch=watch,
        )


def picture(state: dict[str, Any], *, width: int) -> RenderableType:
    """The state for people, as wide as there is room."""
    return Group(*_head(state), _table(state["guests"], width=width))


def _head(state: dict[str, Any]) -> list[Text]:
    host, daemon = state["host"], state["daemon"]
    lines = [Text(f"Aerostat {state['aerostat']}, mode {state['mode']}")]
    if "round_age_s" in daemon:
        age = format_duration(daemon["round_age_s"])
        lines[0].append(f", last round {age} ago, {daemon['rounds']} rounds")
    memory = host.get("memory")
    if memory is not None:
        lines.append(
            Text(
                f"host {host['state']}: {format_size(memory['available_bytes'])} available of "
                f"{format_size(memory['total_bytes'])}; guests may hold "
                f"{_size(host.get('supply_bytes'))}, hold {_size(host.get('committed_bytes'))}, "
                f"need {_size(host.get('demand_bytes'))}"
            )
        )
    if host.get("reserved_bytes"):
        lines.append(Text(f"{_size(host['reserved_bytes'])} kept free for what is coming"))
    if host.get("effect", "working") != "working":
        lines.append(Text(host["effect_words"], style="red"))
    lines += [
        Text(str(daemon[name]), style="red")
        for name in ("failure", "host_trouble", "store_trouble")
        if name in daemon
    ]
    return lines


def _table(guests: list[dict[str, Any]], *, width: int) -> Table:
    is_wide, columns = width >= WIDE, _columns(width)
    figures = [heading for heading, _ in columns]
    name_width = _name_width(guests, figures, width=width)
    table = Table(box=box.SIMPLE, padding=0, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("\nVM", no_wrap=True, min_width=name_width)
    for figure in figures:
        least = max(FIGURE_WIDTH, *(len(line) for line in figure.splitlines()))
        table.add_column(figure, justify="right", no_wrap=True, min_width=least)
    why_width = max(WHY_WIDTH_MIN, width - name_width - 1 - _figures_width(figures))
    table.add_column("\nwhy", no_wrap=not is_wide, width=why_width)
    for guest in guests:
        row = _row(guest, [name for _, name in columns], name_width=name_width)
        if not is_wide:
            row[-1].truncate(why_width, overflow="ellipsis")
        table.add_row(*row)
    return table


def _columns(width: int) -> list[tuple[str, str]]:
    """Headings and figures that have room: a figure is left out, never cut to another number."""
    if width < NARROW:
        return [("\nactual", "actual_bytes"), ("\ntarget", "target_bytes")]
    columns = [
        ("\nmax", "max_bytes"),
        ("\nactual", "actual_bytes"),
        ("\ntarget", "target_bytes"),
        ("guest\navailable", "guest_available_bytes"),
    ]
    if width >= WIDE:
        columns += [
            ("guest\ncache", "guest_cache_bytes"),
            ("\ndemand", "demand_bytes"),
            ("host\nholds", "host_held_bytes"),
        ]
    return columns


def _name_width(guests: list[dict[str, Any]], figures: list[str], *, width: int) -> int:
    """Names come first: the reason gets what they leave, and more of it in a wider window."""
    longest = max((cell_len(printable(guest["name"])) for guest in guests), default=0)
    return max(NAME_WIDTH_MIN, min(longest, width - 1 - _figures_width(figures) - WHY_WIDTH_MIN))


def _figures_width(figures: list[str]) -> int:
    return sum(
        1 + max(FIGURE_WIDTH, *(len(line) for line in figure.splitlines())) for figure in figures
    )


def shortened(name: str, width: int) -> str:
    """A name that fits: its middle goes, since VMs of a kind differ at the end."""
    if cell_len(name) <= width:
        return name
    tail = (width - 1) // 2
    return f"{name[: width - 1 - tail]}…{name[len(name) - tail :]}"


def _row(guest: dict[str, Any], names: list[str], *, name_width: int) -> list[Text]:
    style = "red" if guest["is_distressed"] else ""
    cells = [Text(_size(guest.get(name))) for name in names]
    if "advised_bytes" in guest:
        cells[names.index("target_bytes")] = Text(f"({_size(guest['advised_bytes'])})", style="dim")
    order = guest.get("order", {}).get("standing")
    words = guest["words"] if order is None else f"[{order}] {guest['words']}"
    return [
        Text(shortened(printable(guest["name"]), name_width), style=style),
        *cells,
        Text(printable(words), style=style),
    ]


def _size(size_bytes: int | None) -> str:
    return ABSENT if size_bytes is None else format_size(size_bytes)
