"""The classic table with measured columns: technique, how, what the guest must, and the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from aerostat.lab.result.measures import Better, Measure, best_told
from aerostat.lab.result.summary import UNCONSTRAINED, PolicySummary, summaries
from aerostat.lab.techniques.arms import ARM_OF, ARMS
from aerostat.lab.techniques.costs import (
    CPU_NAMES,
    TO,
    contents_seen,
    cpu_of,
    give_of,
    measured_words,
    take_of,
)
from aerostat.present.wording import (
    ABSENT,
    format_bytes,
    format_latency,
    format_percent,
    format_range,
    format_seconds,
)

MEASURES = (
    Measure(
        key="served_ratio",
        label="served",
        meaning="Share of the offered requests that were served",
        form=format_percent,
        better=Better.HIGHER,
    ),
    Measure(
        key="unconstrained_ratio",
        label="of uncon-\nstrained",
        meaning="Requests served, against guests with all their memory",
        form=format_percent,
        better=Better.HIGHER,
    ),
    Measure(
        key="within_slo_ratio",
        label="in time",
        meaning="Share of the offered requests that were done in time",
        form=format_percent,
        better=Better.HIGHER,
    ),
    Measure(
        key="latency_p50_s",
        label="p50",
        meaning="Half of the served requests were done in this time, counted from when due",
        form=format_latency,
    ),
    Measure(
        key="latency_p99_s",
        label="p99",
        meaning="99 of 100 served requests were done in this time, counted from when due",
        form=format_latency,
    ),
    Measure(
        key="starved_s",
        label="stalled",
        meaning="Guest-seconds in which less than 90 % of the offered requests were served",
        form=format_seconds,
    ),
)
"""How guests were served."""

MEMORY_MEASURES = tuple(
    Measure(key=key, label=label, meaning=meaning, form=format_bytes, better=Better.NEITHER)
    for key, label, meaning in (
        ("host_memory_mean_bytes", "host\nmemory", "What the guests cost, everything counted"),
        ("taken_back_bytes", "taken\nback", "Less than guests with all their memory cost"),
        ("guest_swap_out_bytes", "guest\nswap out", "Written to swap by the guests"),
        ("guest_swap_in_bytes", "guest\nswap in", "Read back from swap by the guests"),
        ("host_swap_out_bytes", "host\nswap out", "Written to swap by the host"),
        ("host_swap_in_bytes", "host\nswap in", "Read back from swap by the host"),
    )
)
"""What it cost the host, and what went to disks for it."""


def techniques_table(document: Mapping[str, Any]) -> Table:
    """A row an arm: how its guests were served."""
    return _measured(document, MEASURES)


def memory_table(document: Mapping[str, Any]) -> Table:
    """A row an arm; host memory is what it came to, which is to be the same for all."""
    return _measured(document, MEMORY_MEASURES)


def _measured(document: Mapping[str, Any], measures: Sequence[Measure]) -> Table:
    table = _table()
    table.add_column("", no_wrap=True)
    for measure in measures:
        table.add_column(measure.label, justify="right")
    rows = in_order(document)
    for summary in rows:
        table.add_row(_title(summary), *_cells(summary, rows, measures))
    return table


def _table() -> Table:
    """Many columns in 80: what the box draws between them is all the room they have."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)


def words_table(document: Mapping[str, Any]) -> Table:
    """The classic table: what each does, what it asks of the guest, what it costs, as measured."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("technique", "how", "the guest must", "cost", "measured"):
        table.add_column(heading)
    for summary in in_order(document):
        arm = ARM_OF.get(summary.policy)
        if arm is not None:
            told = Text("\n".join(measured_words(document, summary)), style="dim")
            table.add_row(arm.title, arm.how, arm.guest_must, arm.cost, told)
    return table


def take_back_table(document: Mapping[str, Any]) -> Table | None:
    """How long taking 256 MiB back took, and giving them; None where it was not measured."""
    kinds = contents_seen(document)
    if not kinds:
        return None
    table = _table()
    table.add_column("256 MiB", no_wrap=True)
    for kind in kinds:
        table.add_column(f"{kind}:\ntaken", justify="right")
        table.add_column("\ngiven again", justify="right")
    seen = {entry["technique"] for entry in document.get("take_back", ())}
    for name in (arm.name for arm in ARMS if arm.name in seen):
        told = [of(document, name, kind) for kind in kinds for of in (take_of, give_of)]
        cells = [_figure(one.text, one.below) for one in told]
        table.add_row(Text(ARM_OF[name].title, style="bold"), *cells)
    return table


def cpu_table(document: Mapping[str, Any]) -> Table:
    """Where processor time went, in seconds."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("CPU", no_wrap=True)
    for name in CPU_NAMES.values():
        table.add_column(name.replace(", ", ",\n"), justify="right")
    for summary in in_order(document):
        if any("cpu_split_s" in arm for arm in summary.arms):
            cells = [cpu_of(summary, name).text for name in CPU_NAMES]
            table.add_row(Text(_name(summary), style="bold"), *cells)
    return table


def discarded_lines(document: Mapping[str, Any]) -> list[str]:
    """Runs that are not judged, each with its reason."""
    return [
        f"discarded: {_name(summary)}: {why}"
        for summary in in_order(document)
        for why in summary.why_invalid
    ]


def in_order(document: Mapping[str, Any]) -> list[PolicySummary]:
    """The arms in the order people know, the reference first."""
    places = {arm.name: place for place, arm in enumerate(ARMS, start=1)}
    return sorted(summaries(document["arms"]), key=lambda summary: places.get(summary.policy, 0))


def _name(summary: PolicySummary) -> str:
    arm = ARM_OF.get(summary.policy)
    return summary.title if arm is None else arm.title


def _title(summary: PolicySummary) -> Text:
    text = Text(_name(summary), style="bold")
    runs, invalid = len(summary.arms), len(summary.why_invalid)
    text.append(f"\n{runs} run{'s' if runs != 1 else ''}", style="not bold dim")
    if invalid:
        text.append(f", {invalid} discarded", style="not bold red")
    return text


def _cells(
    summary: PolicySummary, rows: Sequence[PolicySummary], measures: Sequence[Measure]
) -> list[Text]:
    cells = []
    for measure in measures:
        spread = summary.spread(measure)
        if spread is None:
            cells.append(Text(ABSENT, style="dim"))
            continue
        told = measure.form(spread.mean)
        is_best = told == best_told(measure, _contest(measure, rows))
        below = format_range(spread, measure.form, between=TO)
        cells.append(
            _figure(told, below, style="bold green" if is_best and _competes(summary) else "")
        )
    return cells


def _figure(told: str, below: str, style: str = "") -> Text:
    text = Text(told, style=style)
    return text.append(f"\n{below}", "not bold dim") if below else text


def _contest(measure: Measure, rows: Sequence[PolicySummary]) -> list[float]:
    spreads = [row.spread(measure) for row in rows if _competes(row)]
    return [spread.mean for spread in spreads if spread is not None]


def _competes(summary: PolicySummary) -> bool:
    """What cannot be held to the budget is shown, and wins nothing."""
    arm = ARM_OF.get(summary.policy)
    return summary.policy != UNCONSTRAINED and arm is not None and arm.can_take_at_will
