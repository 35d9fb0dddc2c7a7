"""Where each GiB of the host's RAM is: one bar over the whole width, and what its parts are."""

from typing import Any

from rich.cells import cell_len
from rich.text import Text

from aerostat.present.printable import printable
from aerostat.tui.glyphs import CACHE, FREE, UNKNOWN, USED, Kind, size, stacked
from aerostat.tui.rows import SHORT

_RAM = (
    ("guests_used_bytes", Kind("guests in use", USED.glyph, USED.style)),
    ("guests_cache_bytes", Kind("guests' cache", CACHE.glyph, CACHE.style)),
    ("guests_free_bytes", Kind("free in guests", FREE.glyph, FREE.style)),
    ("guests_unknown_bytes", Kind("not told", UNKNOWN.glyph, UNKNOWN.style)),
    ("host_itself_bytes", Kind("host itself", "▚", "#a98bd6")),
    ("reserve_bytes", Kind("reserve", "▞", "#d9a441")),
    ("available_beyond_reserve_bytes", Kind("host available", "·", "grey50")),
)
_TONES = {"comfortable": "bold #58c98a", "soft": "bold #d9a441"}
_INDENT = "  "


def head_text(state: dict[str, Any], *, sort: str, note: str, width: int) -> Text:
    """All that stands above the table."""
    host, guests = state["host"], state["guests"]
    lines = [_title(state, note)]
    account = host.get("account")
    total = (host.get("memory") or {}).get("total_bytes")
    if account is not None and total:
        sizes = [account.get(name) or 0 for name, _ in _RAM]
        lines.append(stacked([kind for _, kind in _RAM], sizes, total, width))
        shown = [(kind, part) for (_, kind), part in zip(_RAM, sizes, strict=True) if part]
        lines += _legend(shown, width)
    short = sum(guest["is_distressed"] for guest in guests)
    count = Text(f"{len(guests)} VMs")
    if short:
        count.append(f", {short} short of memory", style=SHORT)
    count.append(
        f": may hold {size(host.get('supply_bytes'))}, hold {size(host.get('committed_bytes'))}, "
        f"need {size(host.get('demand_bytes'))}"
    )
    count.append(f"  by {sort}", style="dim")
    lines.append(count)
    if told := _troubles(state):
        lines.append(Text(told, style=SHORT))
    return Text("\n").join(lines)


def _title(state: dict[str, Any], note: str) -> Text:
    host = state["host"]
    memory = host.get("memory") or {}
    title = Text.assemble((f"{note}  " if note else "", "bold #d9a441"), ("Aerostat ", "bold"))
    title.append(f"{state['aerostat']}  {state['mode']}  ")
    title.append(f"host {host['state']}", style=_TONES.get(host["state"], SHORT))
    title.append(
        f"  {size(memory.get('available_bytes'))} available of {size(memory.get('total_bytes'))}"
    )
    return title


def _legend(shown: list[tuple[Kind, int]], width: int) -> list[Text]:
    lines, line = [], Text()
    for kind, part in shown:
        entry = Text.assemble(
            (kind.glyph, kind.style), f" {kind.words} ", (size(part), "bold"), _INDENT
        )
        if line and cell_len(line.plain) + cell_len(entry.plain) - len(_INDENT) > width:
            lines.append(line)
            line = Text()
        line.append_text(entry)
    return [*lines, line]


def _troubles(state: dict[str, Any]) -> str:
    daemon, host = state.get("daemon", {}), state["host"]
    told = [daemon.get(name) for name in ("failure", "host_trouble", "store_trouble")]
    if host.get("effect", "working") != "working":
        told.append(host.get("effect_words"))
    return printable(" · ".join(one for one in told if one))
