"""Open loop: in every round, what another policy would have asked for, in the place it found.

Its advice is never carried out: guests' figures and sizes, and so all answers, are those of what
was really done. It is what a daemon in mode `recommend` would have said beside the one that acted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.engine.step import Step, step
from aerostat.model.guest import GuestId
from aerostat.model.reasons import Reason
from aerostat.ports.journal import RoundRecord
from aerostat.replay.again import follows
from aerostat.replay.alternatives import Alternative
from aerostat.store.kept import Session
from aerostat.store.recording import Part
from aerostat.units import MIB

SAME_BYTES = 8 * MIB
"""Wishes closer than a dead band are the same."""
STEP_S_MAX = 10.0
"""A round stands for the time to the next one, but for no longer than this: one may be missing."""


@dataclass(slots=True, kw_only=True)
class GuestAdvice:
    """What would have been wished for one guest, beside what was. Sums over seconds.

    A wish is what a policy wants a guest to have, before the guard says how far it may go.
    """

    name: str
    seconds_s: float = 0.0
    more_s: float = 0.0  # in which it would have been wished more
    less_s: float = 0.0
    recorded_byte_s: float = 0.0
    advised_byte_s: float = 0.0
    recorded_commands: int = 0
    advised_commands: int = 0  # advice that is not followed is given again: see there
    least_bytes: int | None = None  # the lowest target it would have been sent
    reasons: dict[Reason, int] = field(default_factory=dict)

    @property
    def recorded_mean_bytes(self) -> float | None:
        """What was wished for it, over time."""
        return self.recorded_byte_s / self.seconds_s if self.seconds_s > 0 else None

    @property
    def advised_mean_bytes(self) -> float | None:
        """What would have been."""
        return self.advised_byte_s / self.seconds_s if self.seconds_s > 0 else None


class _Wishes:
    """What a policy wished last: some are asked every ten seconds, and mean it until then."""

    def __init__(self) -> None:
        self._asked_s: float | None = None
        self.bytes: dict[GuestId, int] = {}

    def hear(self, decided: Step) -> None:
        peer = decided.state.peer
        if peer is not None and peer.asked_s == self._asked_s:
            return
        self._asked_s = None if peer is None else peer.asked_s
        self.bytes = {
            trace.guest: trace.wish_bytes
            for trace in decided.trace.guests
            if trace.wish_bytes is not None
        }


@dataclass(slots=True, kw_only=True)
class Advice:
    """What an alternative would have asked for, over a recording."""

    alternative: Alternative
    rounds: int = 0
    differing_rounds: int = 0  # it would have sent other targets
    failed_rounds: int = 0  # it could not decide
    first_round: tuple[float, int] | None = None  # wall time and number of the first that differs
    guests: dict[GuestId, GuestAdvice] = field(default_factory=dict)


class Advises:
    """Asks an alternative in every round of a recording."""

    def __init__(self, alternative: Alternative, sessions: Mapping[int, Session]) -> None:
        self.found = Advice(alternative=alternative)
        self._sessions = sessions
        self._before: Part | None = None
        self._state = EngineState()
        self._was, self._would = _Wishes(), _Wishes()

    def add(self, part: Part, steps: Sequence[Step | None]) -> None:
        """Ask in the rounds of the next part.

        Args:
            part: the part.
            steps: what the present engine makes of its rounds with what it was told then.

        Raises:
            AlternativeError, ConfigError: the alternative cannot be tried on this recording.
        """
        assert part.state is not None, "thinned rounds cannot be decided"
        assert part.params is not None
        configuration = self._sessions[part.session].configuration
        params = self.found.alternative.params(part.params, configuration)
        if not follows(self._before, part):
            # What guests were sent is a fact; what a baseline remembers of itself is not its own.
            own = params.policy is part.params.policy
            self._state = part.state if own else replace(part.state, peer=None)
            self._was, self._would = _Wishes(), _Wishes()
        for number, (record, recorded) in enumerate(zip(part.rounds, steps, strict=True)):
            if recorded is not None:
                self._was.hear(recorded)
            self._ask(record, params, _lasted_s(part, number, record))
        self._before = part

    def _ask(self, record: RoundRecord, params: EngineParams, lasted_s: float) -> None:
        advice = self.found
        advice.rounds += 1
        try:
            decided = step(self._state, record.snapshot, record.events, params)
        except Exception:  # noqa: BLE001 # counted; what it remembered goes on
            advice.failed_rounds += 1
            return
        self._state = decided.state
        self._would.hear(decided)
        sent = {change.guest: change.target_bytes for change in record.plan.changes}
        would = {change.guest: change.target_bytes for change in decided.plan.changes}
        if sent != would:
            advice.differing_rounds += 1
            if advice.first_round is None:
                advice.first_round = (record.snapshot.wall_s, record.number)
        for trace in decided.trace.guests:
            guest = advice.guests.setdefault(trace.guest, GuestAdvice(name=trace.name))
            guest.recorded_commands += trace.guest in sent
            self._compare(guest, trace.guest, lasted_s)
            if (target := would.get(trace.guest)) is not None:
                guest.advised_commands += 1
                guest.reasons[trace.reason] = guest.reasons.get(trace.reason, 0) + 1
                least = guest.least_bytes
                guest.least_bytes = target if least is None else min(least, target)

    def _compare(self, guest: GuestAdvice, of: GuestId, lasted_s: float) -> None:
        was, would = self._was.bytes.get(of), self._would.bytes.get(of)
        if was is None or would is None:
            return
        guest.seconds_s += lasted_s
        guest.recorded_byte_s += was * lasted_s
        guest.advised_byte_s += would * lasted_s
        guest.more_s += lasted_s if would > was + SAME_BYTES else 0.0
        guest.less_s += lasted_s if would < was - SAME_BYTES else 0.0


def _lasted_s(part: Part, number: int, record: RoundRecord) -> float:
    if number + 1 == len(part.rounds):
        return min(record.plan.next_round_s, STEP_S_MAX)
    return min(part.rounds[number + 1].snapshot.now_s - record.snapshot.now_s, STEP_S_MAX)
