"""The classic table as HTML: technique, how, what the guest must, cost, and what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from aerostat.lab.result.measures import Measure
from aerostat.lab.result.summary import PolicySummary
from aerostat.lab.techniques.arms import ARM_OF
from aerostat.lab.techniques.costs import (
    CPU_NAMES,
    TRAFFIC_NAMES,
    Told,
    contents_seen,
    cpu_of,
    give_of,
    take_of,
    traffic_of,
)
from aerostat.lab.techniques.table import MEASURES, MEMORY_MEASURES, in_order
from aerostat.present.markup import Markup, escaped, join
from aerostat.present.wording import ABSENT, format_range

_WORDS = ("how", "the guest must", "cost")
_LEAD = (
    "The same guests, the same schedule, the same memory of the host, all of it counted. "
    "Taking counts until 95 % of 256 MiB have left the host's measured memory: the guests' cgroup "
    "and compressed pools. Giving: until the guest serves again with that memory in use."
)


def classic_table(document: Mapping[str, Any]) -> Markup:
    """Words and figures side by side; empty where no techniques were compared."""
    rows = [row for row in in_order(document) if row.policy in ARM_OF]
    if not rows:
        return Markup("")
    kinds = contents_seen(document)
    measures = [*MEASURES, *MEMORY_MEASURES[:2]]
    heads = [
        "technique",
        *_WORDS,
        *(m.label.replace("-\n", "").replace("\n", " ") for m in measures),
    ]
    heads += [f"{act} {kind}" for kind in kinds for act in ("take 256 MiB,", "give,")]
    body = join(_row(document, row, measures, kinds) for row in rows)
    return Markup(
        "<section><h2>Technique, how, what the guest must, cost</h2>"
        f'<p class="lead">{escaped(_LEAD)}</p>{_table(heads, body)}'
        f"<h3>Where the bytes went</h3>{_table(['technique', *_traffic(rows)], _bytes(rows))}"
        "<h3>Where processor time went</h3>"
        '<p class="lead">Compression has no thread of its own: it is done by whoever reclaims. '
        "That is kswapd, the lab's thread that sets the limit (reclaim), and the VMs' own threads "
        "in the kernel, which also fetch what they miss.</p>"
        f"{_table(['technique', *CPU_NAMES.values()], _cpu(rows))}</section>"
    )


def _row(
    document: Mapping[str, Any],
    row: PolicySummary,
    measures: Sequence[Measure],
    kinds: Sequence[str],
) -> Markup:
    arm = ARM_OF[row.policy]
    said = (arm.how, arm.guest_must, arm.cost)
    words = join(Markup(f'<td class="words">{escaped(word)}</td>') for word in said)
    cells = [_measured(row, measure) for measure in measures]
    for kind in kinds:
        cells.append(_cell(take_of(document, row.policy, kind)))
        cells.append(_cell(give_of(document, row.policy, kind)))
    return Markup(f"<tr>{_head(row)}{words}{''.join(cells)}</tr>")


def _measured(row: PolicySummary, measure: Measure) -> Markup:
    spread = row.spread(measure)
    if spread is None:
        return _cell(Told(text=ABSENT))
    return _cell(Told(text=measure.form(spread.mean), beside=format_range(spread, measure.form)))


def _traffic(rows: Sequence[PolicySummary]) -> list[str]:
    return [name for key, name in TRAFFIC_NAMES.items() if _is_known(rows, key)]


def _is_known(rows: Sequence[PolicySummary], key: str) -> bool:
    return any(key in arm for row in rows for arm in row.arms)


def _bytes(rows: Sequence[PolicySummary]) -> Markup:
    keys = [key for key in TRAFFIC_NAMES if _is_known(rows, key)]
    return join(
        Markup(f"<tr>{_head(row)}{join(_cell(traffic_of(row, key)) for key in keys)}</tr>")
        for row in rows
    )


def _cpu(rows: Sequence[PolicySummary]) -> Markup:
    return join(
        Markup(f"<tr>{_head(row)}{join(_cell(cpu_of(row, name)) for name in CPU_NAMES)}</tr>")
        for row in rows
    )


def _head(row: PolicySummary) -> Markup:
    runs = len(row.arms)
    discarded = f", {len(row.why_invalid)} discarded" if row.why_invalid else ""
    told = f"{runs} run{'s' if runs != 1 else ''}{discarded}"
    title = ARM_OF[row.policy].title
    return Markup(f'<th scope="row"><b>{escaped(title)}</b><small>{escaped(told)}</small></th>')


def _cell(told: Told) -> Markup:
    small = f"<small>{escaped(told.beside)}</small>" if told.beside else ""
    return Markup(f"<td>{escaped(told.text)}{small}</td>")


def _table(heads: Sequence[str], body: Markup) -> Markup:
    cells = join(Markup(f'<th scope="col">{escaped(head)}</th>') for head in heads)
    return Markup(
        f'<div class="scroll"><table class="figures"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
