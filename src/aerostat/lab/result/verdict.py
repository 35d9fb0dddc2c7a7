"""The result in one sentence with numbers; it says so just as plainly when Aerostat did worse."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aerostat.lab.result.measures import Measure, measures
from aerostat.lab.result.summary import PolicySummary, guest_names, summaries
from aerostat.present.wording import Spread, format_bytes, format_percent, format_seconds

SUBJECT = "adaptive"
BASELINE = "static"
CLEAR_RATIO = 0.005
"""Half a point of served load: less than that differs between two runs of the same arm."""


class Tone(StrEnum):
    """What the verdict comes to."""

    BETTER = "better"
    WORSE = "worse"
    EVEN = "even"
    OPEN = "open"  # nothing to compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The headline, and sentences that go with it."""

    tone: Tone
    headline: str
    details: tuple[str, ...]


def verdict(document: Mapping[str, Any]) -> Verdict:
    """Judge Aerostat against the even split on one document's valid arms."""
    slo_s = document.get("slo_s")
    by_key = {measure.key: measure for measure in measures(slo_s)}
    by_policy = {summary.policy: summary for summary in summaries(document["arms"])}
    subject, baseline = by_policy.get(SUBJECT), by_policy.get(BASELINE)
    cautions = _cautions(document, tuple(by_policy.values()), by_key)
    if subject is None or baseline is None:
        return _open("Nothing to compare: this run has no arms of both kinds.", cautions)
    ours, theirs = (side.spread(by_key["served_ratio"]) for side in (subject, baseline))
    if ours is None or theirs is None:
        return _open("No verdict: an arm has no valid run.", cautions)
    tone = _tone(ours, theirs)
    place = _place(subject, baseline)
    worst = _worst_off(document, subject, baseline, by_key["served_ratio"])
    details = (*_comparisons(subject, baseline, by_key), *worst, *cautions)
    return Verdict(tone=tone, headline=_headline(tone, place, ours, theirs), details=details)


def _open(headline: str, details: tuple[str, ...]) -> Verdict:
    return Verdict(tone=Tone.OPEN, headline=headline, details=details)


def _tone(ours: Spread, theirs: Spread) -> Tone:
    difference = ours.mean - theirs.mean
    overlaps = ours.low <= theirs.high and theirs.low <= ours.high
    if abs(difference) < CLEAR_RATIO or overlaps:
        return Tone.EVEN
    return Tone.BETTER if difference > 0 else Tone.WORSE


def _place(subject: PolicySummary, baseline: PolicySummary) -> str:
    ours, theirs = (
        {int(arm.get("budget_bytes", 0)) for arm in summary.arms} for summary in (subject, baseline)
    )
    if ours == theirs and len(ours) == 1 and 0 not in ours:
        return f"On the same {format_bytes(ours.pop())}"
    return "On budgets that differ"


def _headline(tone: Tone, place: str, ours: Spread, theirs: Spread) -> str:
    we, they = format_percent(ours.mean), format_percent(theirs.mean)
    if tone is Tone.BETTER:
        return f"{place}, Aerostat served {we} of the offered load, an even split {they}."
    if tone is Tone.WORSE:
        return f"{place}, Aerostat served less than an even split: {we} of the load against {they}."
    return f"{place}, no clear difference: Aerostat served {we} of the load, an even split {they}."


def _comparisons(
    subject: PolicySummary, baseline: PolicySummary, by_key: Mapping[str, Measure]
) -> tuple[str, ...]:
    """The other two figures that a user of the guests would feel."""
    sentences = []
    within = by_key["within_slo_ratio"]
    pair = subject.spread(within), baseline.spread(within)
    if pair[0] and pair[1]:
        share = within.label.replace("Within", "within")
        we, they = format_percent(pair[0].mean), format_percent(pair[1].mean)
        sentences.append(f"{we} of the requests were done {share}, against {they}.")
    pair = subject.spread(by_key["starved_s"]), baseline.spread(by_key["starved_s"])
    if pair[0] and pair[1]:
        we, they = format_seconds(pair[0].mean), format_seconds(pair[1].mean)
        sentences.append(f"Guests starved for {we}, against {they}.")
    return tuple(sentences)


def _worst_off(
    document: Mapping[str, Any], subject: PolicySummary, baseline: PolicySummary, served: Measure
) -> tuple[str, ...]:
    """What the balance cost the guest that paid most: an average hides it."""
    ratios = {}
    for name in guest_names(document):
        ours, theirs = subject.spread(served, name), baseline.spread(served, name)
        if ours and theirs and theirs.mean > 0:
            ratios[name] = ours.mean / theirs.mean
    if not ratios:
        return ()
    name = min(ratios, key=lambda one: ratios[one])
    if ratios[name] >= 1 - CLEAR_RATIO:
        return ("No guest was served less than with an even split.",)
    part = format_percent(1 - ratios[name])
    return (f"Worst off was {name}: {part} less served than with an even split.",)


def _cautions(
    document: Mapping[str, Any],
    policies: tuple[PolicySummary, ...],
    by_key: Mapping[str, Measure],
) -> tuple[str, ...]:
    cautions = []
    if document["accelerator"] == "simulated":
        cautions.append("The guests are SIMULATED: nothing here was measured on a real machine.")
    for summary in policies:
        for key, what in (("oom_kills", "OOM kills"), ("checksum_errors", "checksum errors")):
            total = sum(by_key[key].of(arm) or 0 for arm in summary.arms)
            if total:
                cautions.append(f"{summary.title}: {total:.0f} {what}.")
        cautions += [f"{summary.title}: a run does not count: {why}" for why in summary.why_invalid]
    if any(len(summary.arms) == 1 for summary in policies if summary.policy in {SUBJECT, BASELINE}):
        cautions.append("One run of each: read sizes, not small differences.")
    return tuple(cautions)
