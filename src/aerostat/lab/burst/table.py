"""The measurement before people."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from aerostat.lab.burst.found import ARMS, Burst, Bursts
from aerostat.present.wording import ABSENT, format_percent


def burst_table(found: Bursts) -> Table:
    """A row an arm: from the first stall to the first page, and to 90 % of the gap.

    A burst that never stalled had its memory in time; one of a guest that was not at rest before it
    measures something else. Both are counted, and have no times.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("arm", no_wrap=True)
    headings = ("first page\nmedian", "first page\nworst", "90 % back\nmedian", "90 % back\nworst")
    for heading in ("measured", *headings, "moving\nmedian", "requests\nlost"):
        table.add_column(heading, justify="right")
    for arm in ARMS:
        bursts = [burst for burst in found.bursts if burst.arm == arm.name]
        title = Text(arm.words, style="bold")
        table.add_row(title, *_cells(bursts))
    return table


def _cells(bursts: Sequence[Burst]) -> list[str]:
    stalled = [b for b in bursts if b.was_at_rest and b.stalled_after_s is not None]
    first = [burst.first_page_s for burst in stalled]
    most = [burst.most_s for burst in stalled]
    moving = [burst.moving_s for burst in stalled]
    offered, lost = (sum(getattr(b, name) for b in bursts) for name in ("offered", "lost"))
    return [
        f"{len(stalled)} of {len(bursts)}",
        _middle(first),
        _worst(first),
        _middle(most),
        _worst(most),
        _middle(moving),
        format_percent(lost / offered) if offered else ABSENT,
    ]


def _middle(times: Sequence[float | None]) -> str:
    """The median; what never came counts as longer than everything."""
    ordered = sorted(float("inf") if time is None else time for time in times)
    return _time(ordered[(len(ordered) - 1) // 2]) if ordered else ABSENT


def _worst(times: Sequence[float | None]) -> str:
    ordered = [float("inf") if time is None else time for time in times]
    return _time(max(ordered)) if ordered else ABSENT


def _time(time_s: float) -> str:
    if time_s == float("inf"):
        return "never"
    return f"{time_s * 1000:.0f} ms" if time_s < 10 else f"{time_s:.1f} s"
