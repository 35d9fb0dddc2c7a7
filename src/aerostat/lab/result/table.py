"""The result as a table in the terminal: a column a policy, a row a figure, within 100 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from aerostat.lab.result.measures import RECOVERY_LABEL, Measure, best_told, measures
from aerostat.lab.result.summary import UNCONSTRAINED, PolicySummary, summaries
from aerostat.lab.result.verdict import Tone, verdict
from aerostat.lab.result.wording import ABSENT, Spread, format_range

_TONES = {
    Tone.BETTER: "bold green",
    Tone.WORSE: "bold red",
    Tone.EVEN: "bold",
    Tone.OPEN: "bold yellow",
}
_RECOVERY_AFTER = "latency_p99_s"


def result_table(document: Mapping[str, Any]) -> Table:
    """Means over the repeats, with the range beside them; the best figure of a row stands out."""
    policies = summaries(document["arms"])
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
