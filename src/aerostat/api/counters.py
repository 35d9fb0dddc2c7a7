"""What is counted since the start, for metrics; written in the loop's thread, read from any."""

from collections import Counter

from aerostat.control.board import Status
from aerostat.model.events import OperatorCommanded, Outcome, TargetAnswered, TechniqueUsed
from aerostat.model.guest import GuestId
from aerostat.model.host_state import HOST_STEPS
from aerostat.model.reasons import Reason
from aerostat.ports.journal import RoundRecord

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Counters:
    """Follows the status board. Numbers only rise."""

    def __init__(self) -> None:
        self.decisions: Counter[str] = Counter()  # targets sent, by reason
        self.outcomes: Counter[str] = Counter()  # of targets, by how they ended
        self.commands: Counter[str] = Counter()  # of operators
        self.technique_acts: Counter[tuple[str, str]] = Counter()  # by step and act
        self._taken: Counter[str] = Counter()  # bytes that the host got back, by step
        self.distress_releases = 0
        self.inflated_bytes = 0  # taken out of guests, as seen in what they hold
        self.deflated_bytes = 0
        self.round_buckets = [0] * (len(BUCKETS_S) + 1)
        self.rounds = 0
        self.round_sum_s = 0.0
        self.lag_s: float | None = None  # how late the last round began
        self._number = 0
        self._due_s: float | None = None
        self._took_s: float | None = None
        self._actual: dict[GuestId, int] = {}

    def follow(self, status: Status) -> None:
        """Count what is new."""
        if status.last is not None and status.last.number != self._number:
            self._number = status.last.number
            self._count(status.last)
        if status.round_s is not self._took_s and status.round_s is not None:
            self._took_s = status.round_s
            self._time(status.round_s)

    def _count(self, record: RoundRecord) -> None:
        if record.was_enforced:
            for change in record.plan.changes:
                self.decisions[change.reason.value] += 1
                self.distress_releases += change.reason is Reason.RELEASED_FOR_DISTRESS
        for event in record.events:
            if isinstance(event, TargetAnswered):
                self.outcomes[event.outcome.value] += 1
            elif isinstance(event, OperatorCommanded):
                self.commands[event.command.value] += 1
            elif isinstance(event, TechniqueUsed):
                self.technique_acts[event.step.value, event.act.value] += 1
                # Where the host has less than before, nothing was taken; counters only rise.
                self._taken[event.step.value] += max(0, event.taken_bytes or 0)
        actual = {
            g.guest: g.actual_bytes for g in record.snapshot.guests if g.actual_bytes is not None
        }
        for guest, size in actual.items():
            moved = size - self._actual.get(guest, size)
            self.deflated_bytes += max(0, moved)
            self.inflated_bytes += max(0, -moved)
        self._actual = actual
        now_s = record.snapshot.now_s
        self.lag_s = None if self._due_s is None else max(0.0, now_s - self._due_s)
        self._due_s = now_s + record.plan.next_round_s

    def _time(self, took_s: float) -> None:
        self.rounds += 1
        self.round_sum_s += took_s
        bucket = sum(took_s > bound for bound in BUCKETS_S)
        self.round_buckets[bucket] += 1

    def taken_bytes(self) -> dict[str, int]:
        """What every technique that takes memory has taken, counted or not."""
        return {step.value: self._taken[step.value] for step in HOST_STEPS}

    def outcomes_of_all(self) -> dict[str, int]:
        """Every way a target may end, counted or not."""
        return {outcome.value: self.outcomes[outcome.value] for outcome in Outcome}
