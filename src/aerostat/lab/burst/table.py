"""The measurement before people."""

from rich import box
from rich.table import Table
from rich.text import Text

from aerostat.lab.burst.found import Bursts
from aerostat.lab.burst.summary import (
    FIRST_PAGE_GOAL_S,
    NEVER,
    P99_BURSTS_MIN,
    TO_RAW_GOAL,
    ArmSummary,
    Spread,
    summaries,
)
from aerostat.present.wording import ABSENT, format_percent

_HEADINGS = (
    "measured",
    *(f"{what}\n{of}" for what in ("first page", "90 % back") for of in ("p50", "p99", "worst")),
    f"to raw\n(<= {TO_RAW_GOAL:g})",
    f"bursts\n<= {TO_RAW_GOAL:g}",
    "requests\nlost",
)
CAPTION = (
    "From the guest's first stall. To raw: 90 % of the gap, by the time of the raw mechanism from "
    f"the command (medians). A p99 takes {P99_BURSTS_MIN} bursts; the goal is "
    f"{FIRST_PAGE_GOAL_S * 1000:.0f} ms to the first page, pushed."
)


def burst_table(found: Bursts) -> Table:
    """A row an arm: from the first stall to the first page, and to 90 % of the gap.

    A burst that never stalled had its memory in time; one of a guest that was not at rest before it
    measures something else. Both are counted, and have no times.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("arm", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    for summary in summaries(found.bursts):
        table.add_row(Text(summary.arm.words, style="bold"), *_cells(summary))
        if summary.mechanism is not None:
            words = "  the raw mechanism: from that command"
            table.add_row(words, "", "", "", "", *_times(summary.mechanism), "", "", "")
    return table


def _cells(summary: ArmSummary) -> list[str]:
    ratio = summary.most_to_raw_ratio
    return [
        f"{summary.measured} of {summary.played}",
        *_times(summary.first_page),
        *_times(summary.most),
        ABSENT if ratio is None else "never" if ratio == NEVER else f"{ratio:.2f}",
        _share(summary.within_raw_ratio),
        _share(summary.lost_ratio),
    ]


def _times(spread: Spread | None) -> tuple[str, str, str]:
    if spread is None:
        return ABSENT, ABSENT, ABSENT
    p99 = ABSENT if spread.p99_s is None else _time(spread.p99_s)
    return _time(spread.p50_s), p99, _time(spread.worst_s)


def _share(ratio: float | None) -> str:
    return ABSENT if ratio is None else format_percent(ratio)


def _time(time_s: float) -> str:
    if time_s == NEVER:
        return "never"
    return f"{time_s * 1000:.0f} ms" if time_s < 10 else f"{time_s:.1f} s"
