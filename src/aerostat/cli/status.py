"""``aerostat status`` (also ``list``) and ``show``: the running daemon's own picture, live."""

import json
import time
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from aerostat.cli.asked import Daemon, SocketPath, Url, guest_path
from aerostat.cli.options import Output, OutputFormat
from aerostat.present.printable import printable
from aerostat.present.wording import ABSENT
from aerostat.units import format_duration, format_size

WATCH_S = 1.0

Watch = Annotated[bool, typer.Option("--watch", "-w", help="Again every second, until Ctrl-C.")]


def status(
    watch: Watch = False,
    socket: SocketPath = None,
    url: Url = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show host and VMs as the running daemon sees them."""
    daemon = Daemon(socket, url)
    state = daemon.get("/v1/state")
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(state, indent=2))
        return
    console = Console(highlight=False)
    if not watch:
        console.print(picture(state, width=console.width))
        return
    with Live(picture(state, width=console.width), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(WATCH_S)
            live.update(picture(daemon.get("/v1/state"), width=console.width), refresh=True)


def show(
    vm: Annotated[str, typer.Argument(metavar="VM", help="Its name, or its id.")],
    socket: SocketPath = None,
    url: Url = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show one VM: every figure with its age, and why it is at its size."""
    daemon = Daemon(socket, url)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(daemon.get(guest_path(vm)), indent=2))
        return
    typer.echo(daemon.get(guest_path(vm, "explanation"))["text"])


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
    is_wide = width >= 110
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("VM", no_wrap=True, min_width=8, max_width=24)
    for name in ("max", "actual", "target", "guest avail"):
        table.add_column(name, justify="right", no_wrap=True, min_width=8)
    if is_wide:
        for name in ("guest cache", "demand", "host holds"):
            table.add_column(name, justify="right", no_wrap=True, min_width=8)
    table.add_column("why", no_wrap=not is_wide, overflow="ellipsis", ratio=1)
    for guest in guests:
        table.add_row(*_row(guest, is_wide=is_wide))
    return table


def _row(guest: dict[str, Any], *, is_wide: bool) -> list[Text]:
    names = ["max_bytes", "actual_bytes", "target_bytes", "guest_available_bytes"]
    if is_wide:
        names += ["guest_cache_bytes", "demand_bytes", "host_held_bytes"]
    style = "red" if guest["is_distressed"] else ""
    cells = [Text(_size(guest.get(name))) for name in names]
    if "advised_bytes" in guest:
        cells[2] = Text(f"({_size(guest['advised_bytes'])})", style="dim")
    order = guest.get("order", {}).get("standing")
    words = guest["words"] if order is None else f"[{order}] {guest['words']}"
    return [
        Text(printable(guest["name"]), style=style),
        *cells,
        Text(printable(words), style=style),
    ]


def _size(size_bytes: int | None) -> str:
    return ABSENT if size_bytes is None else format_size(size_bytes)
