"""What a recording is made of, as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.ports.journal import RoundRecord
from aerostat.store.kept import Session

SCHEMA = "aerostat.recording/1"
"""In the file's metadata; a change of what a column means raises the number."""

METADATA_KEY = b"aerostat.recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rounds in a row, and what the engine knew before the first of them.

    ``state`` and ``params`` are ``None`` where only thinned rounds were kept: none of those can be
    decided again.
    """

    session: int
    engine: str | None
    state: EngineState | None
    params: EngineParams | None
    rounds: tuple[RoundRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingHeader:
    """What the file says of itself."""

    aerostat: str  # the version that wrote the file
    is_full: bool  # every round, with all that decided it; False: thinned
    sessions: Mapping[int, Session]
    parts: int
    rounds: int
    guests: int  # how many there ever were
    first_wall_s: float
    last_wall_s: float
