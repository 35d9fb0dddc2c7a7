"""What the doctor found: a fact, what it means, and the exact change that would help."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    ADVICE = "advice"  # it works, and could work better
    PROBLEM = "problem"  # it does not work as it should
    UNKNOWN = "unknown"  # it could not be seen from here


class Verdict(StrEnum):
    """What can be done with one VM's memory."""

    BALLOONABLE = "balloonable"
    REPORTING_ONLY = "reporting only"  # free pages come back, the balloon frees nothing
    MONITOR_ONLY = "monitor only"  # it can be watched, and nothing can be taken
    UNKNOWN = "unknown"  # who holds its monitor does not let us ask
    NO = "no"  # nothing can be said or done


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. ``check`` is its stable code."""

    check: str
    grade: Grade
    says: str  # the evidence
    fix: str | None = None  # the exact change; None: nothing needs changing
