"""The port to whatever remembers rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.model.events import Event
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import Plan, RoundTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """One whole round: what was seen, what had happened, what was decided, what was sent."""

    number: int
    snapshot: HostSnapshot
    events: Sequence[Event]
    plan: Plan
    trace: RoundTrace
    was_enforced: bool  # False in observe and recommend: the plan was not sent
    # What the engine remembered before this round, and what it had been told: with the snapshot and
    # the events, all that decided it. None: read from where only decisions are kept.
    state: EngineState | None = None
    params: EngineParams | None = None


class Journal(Protocol):
    """Remembers rounds. A journal that fails never stops the loop."""

    def record(self, record: RoundRecord) -> None:
        """Take one round; must not block."""
        ...
