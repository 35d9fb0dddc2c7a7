"""The result as a table in the terminal: a column a policy, a row a figure, within 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from aerostat.lab.result.measures import RECOVERY_LABEL, Measure, best_told, measures
from aerostat.lab.result.summary import UNCONSTRAINED, PolicySummary, summaries
from aerostat.lab.result.verdict import Tone, verdict
from aerostat.present.wording import ABSENT, Spread, format_range

_TONES = {
    Tone.BETTER: "bold green",
    Tone.WORSE: "bold red",
    Tone.EVEN: "bold",
    Tone.OPEN: "bold yellow",
}
_RECOVERY_AFTER = "latency_p99_s"


_COLUMNS_MAX = 3
"""More policies than this stand in rows of their own, with fewer figures each."""
_KEYS_OF_MANY = frozenset(
    {
        "served_ratio",
        "within_slo_ratio",
        "starved_s",
        "latency_p99_s",
        "guest_swap_out_bytes",
        "host_memory_mean_bytes",
        "churn_bytes",
    }
)


def result_table(document: Mapping[str, Any]) -> Table:
    """Means over the repeats, with the range beside them; the best figure stands out."""
    policies = summaries(document["arms"])
    if len(policies) > _COLUMNS_MAX:
        return _table_of_many(document, policies)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for summary in policies:
        table.add_column(_heading(summary), justify="right", no_wrap=True)
        table.add_column("", style="dim", no_wrap=True)
    for measure in measures(document.get("slo_s")):
        spreads = [summary.spread(measure) for summary in policies]
        if any(spread is not None for spread in spreads):
            table.add_row(measure.label, *_cells(measure, policies, spreads))
        if measure.key == _RECOVERY_AFTER:
            told = [part for summary in policies for part in summary.recovery()]
            table.add_row(RECOVERY_LABEL, *told)
    return table


def _table_of_many(document: Mapping[str, Any], policies: Sequence[PolicySummary]) -> Table:
    """A row a policy, its ranges on the lines below."""
    shown = [m for m in measures(document.get("slo_s")) if m.key in _KEYS_OF_MANY]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    by_measure = [_cells(m, policies, [p.spread(m) for p in policies]) for m in shown]
    for measure in shown:
        table.add_column(measure.label.replace(" ", "\n", 1), justify="right", no_wrap=True)
    for number, summary in enumerate(policies):
        cells = [_stacked(column[2 * number : 2 * number + 2]) for column in by_measure]
        table.add_row(_heading(summary), *cells)
    return table


def _stacked(cell: Sequence[Text | str]) -> Text:
    """A figure with its range below, in two lines: seven of them are to fit side by side."""
    told, told_range = cell
    text = told if isinstance(told, Text) else Text(told)
    if told_range:
        text.append("\n" + str(told_range).replace("..", "..\n"), style="not bold dim")
    return text


def verdict_text(document: Mapping[str, Any]) -> Text:
    """The verdict's headline and details, to stand above or below the table."""
    found = verdict(document)
    text = Text(found.headline, style=_TONES[found.tone])
    for line in found.details:
        text.append(f"\n{line}", style="not bold default")
    return text


def _heading(summary: PolicySummary) -> Text:
    text = Text(summary.title, style="bold")
    runs, invalid = len(summary.arms), len(summary.why_invalid)
    text.append("\n1 run" if runs == 1 else f"\n{runs} runs", style="not bold dim")
    if invalid:
        text.append(f"\n{invalid} invalid", style="bold red")
    return text


def _cells(
    measure: Measure, policies: Sequence[PolicySummary], spreads: Sequence[Spread | None]
) -> list[Text | str]:
    judged = [
        spread.mean
        for summary, spread in zip(policies, spreads, strict=True)
        if spread is not None and summary.policy != UNCONSTRAINED
    ]
    best = best_told(measure, judged)
    cells: list[Text | str] = []
    for summary, spread in zip(policies, spreads, strict=True):
        if spread is None:
            cells += [Text(ABSENT, style="dim"), ""]
            continue
        told = measure.form(spread.mean)
        stands_out = told == best and summary.policy != UNCONSTRAINED
        cells += [
            Text(told, style="bold green" if stands_out else ""),
            format_range(spread, measure.form),
        ]
    return cells
