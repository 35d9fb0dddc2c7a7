"""What a comparison of techniques comes to: the ladder against the best single technique."""

from collections.abc import Mapping
from typing import Any

from aerostat.lab.result.summary import PolicySummary
from aerostat.lab.result.verdict import Tone, Verdict, verdict
from aerostat.lab.techniques.arms import ARM_OF, LADDER
from aerostat.lab.techniques.table import MEASURES, discarded_lines, in_order
from aerostat.present.wording import format_percent

NEVER_WORSE_RATIO = 0.97
"""The ladder is to serve at least this part of what the best single technique serves."""
OVER_BUDGET_RATIO = 1.03
"""Who held more than this times the budget on average did not do what the others did."""
_SERVED = MEASURES[0]


def verdict_of(document: Mapping[str, Any]) -> Verdict:
    """Judge a document: techniques by their ladder, everything else by Aerostat's policy."""
    rows = [row for row in in_order(document) if row.policy in ARM_OF]
    if not rows:
        return verdict(document)
    served = {row.policy: share for row in rows if (share := _served(row)) is not None}
    over = [row for row in rows if _is_judged(row.policy) and _held_ratio(row) > OVER_BUDGET_RATIO]
    details = (*map(_over_line, over), *discarded_lines(document))
    left_out = {row.policy for row in over}
    singles = {n: share for n, share in served.items() if _is_single(n) and n not in left_out}
    if LADDER not in served or LADDER in left_out or not singles:
        return Verdict(
            tone=Tone.OPEN,
            headline="No verdict: the ladder, or every single technique, has no valid run, "
            "or held more than the budget.",
            details=details,
        )
    best = max(singles, key=lambda name: singles[name])
    ratio = served[LADDER] / singles[best] if singles[best] else 1.0
    tone = Tone.WORSE if ratio < NEVER_WORSE_RATIO else Tone.EVEN
    return Verdict(
        tone=Tone.BETTER if ratio > 1 / NEVER_WORSE_RATIO else tone,
        headline=f"The whole ladder served {format_percent(served[LADDER])} of what was asked; "
        f"the best single technique, {ARM_OF[best].title}, {format_percent(singles[best])}.",
        details=details,
    )


def _held_ratio(row: PolicySummary) -> float:
    """What an arm held on average, of its budget; 1 where it is not told."""
    shares = [
        arm["host_memory_mean_bytes"] / arm["budget_bytes"]
        for arm in row.arms
        if arm.get("host_memory_mean_bytes") and arm.get("budget_bytes")
    ]
    return sum(shares) / len(shares) if shares else 1.0


def _over_line(row: PolicySummary) -> str:
    ratio = format_percent(_held_ratio(row))
    return f"{ARM_OF[row.policy].title} wins nothing: it held {ratio} of the budget."


def _is_judged(name: str) -> bool:
    """Whether it can be held to the budget at all."""
    return ARM_OF[name].can_take_at_will


def _is_single(name: str) -> bool:
    return name != LADDER and _is_judged(name)


def _served(row: PolicySummary) -> float | None:
    spread = row.spread(_SERVED)
    return None if spread is None else spread.mean
