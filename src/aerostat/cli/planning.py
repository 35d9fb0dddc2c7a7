"""A plan for the terminal, in 80 columns."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aerostat.cli.status import shortened
from aerostat.planner.words import details, headline
from aerostat.present.printable import printable
from aerostat.units import format_size

VMS_SHOWN = 10
OTHERS_WIDTH, NAME_WIDTH_MIN = 69, 11
"""Beside a name; of what is left for it, its middle goes, since VMs of a kind differ at the end."""


def plan_text(document: Mapping[str, Any], width: int = 80) -> RenderableType:
    """The answer, the techniques beside each other, what to declare, what it rests on."""
    parts: list[RenderableType] = [Text(f"{headline(document)}.", style="bold"), Text()]
    parts += [Text(line) for line in details(document)]
    parts += [
        Text(),
        _techniques(document),
        Text(),
        _vms(document, max(NAME_WIDTH_MIN, width - OTHERS_WIDTH)),
    ]
    rest = len(document["vms"]) - VMS_SHOWN
    if rest > 0:
        parts.append(Text(f"and {rest} more: -o json and --html have all", style="dim"))
    for note in document["trace"]["notes"]:
        parts.append(Text(f"Trace: {note}", style="dim"))
    parts += [Text(f"\n{line}", style="dim") for line in document["assumptions"]]
    return Group(*parts)


def _techniques(document: Mapping[str, Any]) -> Table:
    table = Table("VMs a host", box=None, header_style="bold", pad_edge=False)
    for name in (
        "fit",
        "range",
        "over-\ncommit",
        "lacking",
        "later",
        "short\nlater",
        "slower\nlater",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for one in document["techniques"]:
        style = "" if one["holds_later"] else "yellow"
        table.add_row(
            one["title"],
            str(one["guests"]),
            f"{one['guests_least']}-{one['guests_most']}",
            f"{one['overcommit_ratio']:.1f}x",
            f"{one['training']['unmet_ratio']:.2%}",
            f"{one['later']['unmet_ratio']:.2%}",
            f"{one['later']['pressed_ratio']:.1%}",
            f"{one['later']['compressed_ratio']:.1%}",
            style=style,
        )
    return table


def _vms(document: Mapping[str, Any], name_width: int) -> Table:
    table = Table("to declare", box=None, header_style="bold", pad_edge=False)
    for name in ("has", "mostly uses", "peak", "min", "max", "weight", "above max\nlater"):
        table.add_column(name, justify="right", no_wrap=True)
    # Those first that can give up most.
    vms = sorted(document["vms"], key=lambda vm: (vm["max_bytes"] - vm["booted_bytes"], vm["name"]))
    for vm in vms[:VMS_SHOWN]:
        table.add_row(
            shortened(printable(vm["name"]), name_width),
            *(
                format_size(vm[f"{name}_bytes"])
                for name in ("booted", "typical", "peak", "min", "max")
            ),
            str(vm["weight"]),
            f"{vm['later_above_max_ratio']:.1%}",
        )
    return table
