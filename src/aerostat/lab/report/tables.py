"""The result table, one row a policy, and the same for each guest: plain HTML, no script."""

from collections.abc import Mapping, Sequence
from typing import Any

from aerostat.lab.result.measures import (
    RECOVERY_LABEL,
    RECOVERY_MEANING,
    Measure,
    best_told,
    measures,
)
from aerostat.lab.result.summary import UNCONSTRAINED, PolicySummary, guest_names, summaries
from aerostat.present.markup import Markup, escaped, join
from aerostat.present.wording import ABSENT, format_range

_RECOVERY_AFTER = "latency_p99_s"


def figures_table(document: Mapping[str, Any]) -> Markup:
    """One row a policy: means over its runs, their range below, the best figure marked."""
    policies = summaries(document["arms"])
    shown = _measured(document, policies)
    rows = [(summary, _policy_cell(summary), None) for summary in policies]
    return _table("Policy", shown, rows)


def guest_tables(document: Mapping[str, Any]) -> Markup:
    """The same figures guest by guest, for every policy."""
    policies = summaries(document["arms"])
    names = guest_names(document)
    shown = _measured(document, policies)
    return join(
        Markup(
            f"<h3>{escaped(name)}</h3>"
            + _table(
                "Policy", shown, [(summary, escaped(summary.title), name) for summary in policies]
            )
        )
        for name in names
    )


def _measured(document: Mapping[str, Any], policies: Sequence[PolicySummary]) -> list[Measure]:
    return [
        measure
        for measure in measures(document.get("slo_s"))
        if any(summary.spread(measure) is not None for summary in policies)
    ]


def _policy_cell(summary: PolicySummary) -> Markup:
    runs = len(summary.arms)
    parts = [f"<b>{escaped(summary.title)}</b><small>{runs} run{'s' if runs != 1 else ''}</small>"]
    parts += [
        f'<small class="bad">not counted: {escaped(why)}</small>' for why in summary.why_invalid
    ]
    return Markup("".join(parts))


def _table(
    corner: str,
    shown: Sequence[Measure],
    rows: Sequence[tuple[PolicySummary, Markup, str | None]],
) -> Markup:
    shown = [m for m in shown if any(row[0].spread(m, row[2]) is not None for row in rows)]
    heads = []
    for measure in shown:
        heads.append(_head(measure.label, measure.meaning))
        if measure.key == _RECOVERY_AFTER:
            heads.append(_head(RECOVERY_LABEL, RECOVERY_MEANING))
    best = {measure.key: _best(measure, rows) for measure in shown}
    body = join(_row(summary, head, guest, shown, best) for summary, head, guest in rows)
    return Markup(
        '<div class="scroll"><table class="figures"><thead><tr>'
        f'<th scope="col">{escaped(corner)}</th>{"".join(heads)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _head(label: str, meaning: str) -> Markup:
    return Markup(f'<th scope="col" title="{escaped(meaning)}">{escaped(label)}</th>')


def _best(measure: Measure, rows: Sequence[tuple[PolicySummary, Markup, str | None]]) -> str | None:
    spreads = [
        summary.spread(measure, guest)
        for summary, _, guest in rows
        if summary.policy != UNCONSTRAINED
    ]
    return best_told(measure, [spread.mean for spread in spreads if spread is not None])


def _row(
    summary: PolicySummary,
    head: Markup,
    guest: str | None,
    shown: Sequence[Measure],
    best: Mapping[str, str | None],
) -> Markup:
    cells = []
    for measure in shown:
        spread = summary.spread(measure, guest)
        if spread is None:
            cells.append(_cell(ABSENT, ""))
        else:
            told = measure.form(spread.mean)
            is_best = told == best[measure.key] and summary.policy != UNCONSTRAINED
            cells.append(_cell(told, format_range(spread, measure.form), is_best=is_best))
        if measure.key == _RECOVERY_AFTER:
            cells.append(_cell(*summary.recovery(guest)))
    return Markup(
        f'<tr data-policy="{escaped(summary.policy)}"><th scope="row">{head}</th>'
        f"{''.join(cells)}</tr>"
    )


def _cell(told: str, beside: str, *, is_best: bool = False) -> Markup:
    mark = ' class="best"' if is_best else ""
    small = f"<small>{escaped(beside)}</small>" if beside else ""
    return Markup(f"<td{mark}>{escaped(told)}{small}</td>")
