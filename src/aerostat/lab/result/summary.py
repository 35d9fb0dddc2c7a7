"""Repeats of a policy taken together: means with their spread, and how often it recovered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aerostat.lab.result.measures import Measure
from aerostat.present.wording import (
    ABSENT,
    Spread,
    format_range,
    format_seconds,
    policy_title,
    spread_of,
)

UNCONSTRAINED = "unconstrained"  # the reference: it is not in the contest
_PLACES = {UNCONSTRAINED: 0, "static": 1, "adaptive": 3}  # any other stands before ours, as it ran


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySummary:
    """All arms of one policy. Only the valid ones are judged; the others keep their reason."""

    policy: str
    arms: tuple[Mapping[str, Any], ...]
    why_invalid: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The arm's name before people."""
        for arm in self.arms:
            if "title" in arm:
                return str(arm["title"])
        return policy_title(self.policy)

    def spread(self, measure: Measure, guest: str | None = None) -> Spread | None:
        """A figure over the valid repeats, of the arm or of one guest."""
        scopes = [
            arm if guest is None else arm.get("guests", {}).get(guest, {}) for arm in self.arms
        ]
        return spread_of([value for scope in scopes if (value := measure.of(scope)) is not None])

    def recovery(self, guest: str | None = None) -> tuple[str, str]:
        """Recovery in words: the typical case, and its range or how often there was none."""
        entries = [
            entry
            for arm in self.arms
            for entry in arm.get("recoveries", ())
            if guest is None or entry["guest"] == guest
        ]
        times = spread_of([entry["recovery_s"] for entry in entries if "recovery_s" in entry])
        never = sum(1 for entry in entries if entry["state"] == "not_recovered")
        judged = never + (times.runs if times else 0)
        if not judged:
            return ABSENT, ""
        if times is None:
            return "never", f"{never} of {judged}"
        missed = f"never in {never} of {judged}" if never else ""
        return format_seconds(times.mean), missed or format_range(times, format_seconds)


def summaries(arms: Sequence[Mapping[str, Any]]) -> tuple[PolicySummary, ...]:
    """Group a document's arms by policy (or technique): the reference first, ours last."""
    ran = list(dict.fromkeys(arm_name(arm) for arm in arms))
    names = sorted(ran, key=lambda name: _PLACES.get(name, 2))
    return tuple(
        PolicySummary(
            policy=name,
            arms=tuple(arm for arm in arms if arm_name(arm) == name and arm["valid"]),
            why_invalid=tuple(
                arm["why_invalid"] for arm in arms if arm_name(arm) == name and not arm["valid"]
            ),
        )
        for name in names
    )


def arm_name(arm: Mapping[str, Any]) -> str:
    """What an arm tried: its policy, else its technique."""
    return str(arm.get("policy", arm.get("technique", "")))


def guest_names(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The guests in the order the experiment declares them, then any other that was seen."""
    declared = list(document.get("guest_max_bytes", {}))
    seen = sorted({name for arm in document["arms"] for name in arm.get("guests", {})})
    return tuple(dict.fromkeys([name for name in declared if name in seen] + seen))
