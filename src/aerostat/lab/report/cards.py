"""The four figures that matter most, as bars one under the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from aerostat.lab.result.measures import Better, Measure, measures
from aerostat.lab.result.summary import PolicySummary, summaries
from aerostat.present.markup import Markup, escaped, join
from aerostat.present.wording import ABSENT, Spread

_SHOWN = ("served_ratio", "within_slo_ratio", "starved_s", "latency_p99_s")


def cards(document: Mapping[str, Any]) -> Markup:
    """One card a figure, one bar a policy; figures nobody measured have no card."""
    policies = summaries(document["arms"])
    return join(
        _card(measure, policies)
        for measure in measures(document.get("slo_s"))
        if measure.key in _SHOWN
        and any(summary.spread(measure) is not None for summary in policies)
    )


def _card(measure: Measure, policies: Sequence[PolicySummary]) -> Markup:
    spreads = [summary.spread(measure) for summary in policies]
    longest = 1.0
    if measure.better is not Better.HIGHER:
        longest = max((spread.high for spread in spreads if spread is not None), default=0) or 1.0
    bars = join(
        _bar(summary, measure, spread, longest)
        for summary, spread in zip(policies, spreads, strict=True)
    )
    hint = "more is better" if measure.better is Better.HIGHER else "less is better"
    return Markup(
        f'<article class="card"><h3 title="{escaped(measure.meaning)}">{escaped(measure.label)}'
        f"<small>{hint}</small></h3>{bars}</article>"
    )


def _bar(summary: PolicySummary, measure: Measure, spread: Spread | None, longest: float) -> Markup:
    told = ABSENT if spread is None else measure.form(spread.mean)
    width = 0.0 if spread is None else min(100.0, 100 * spread.mean / longest)
    return Markup(
        f'<div class="bar" data-policy="{escaped(summary.policy)}"><span class="who">'
        f'{escaped(summary.title)}</span><span class="track"><i style="width:{width:.2f}%"></i>'
        f'</span><span class="num">{escaped(told)}</span></div>'
    )
