"""What readers of a store get: plain values, nothing of the database."""

from dataclasses import dataclass

from aerostat.engine.params import EngineParams
from aerostat.engine.state import EngineState
from aerostat.model.events import Event
from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.model.plan import GuestTrace, HostTrace
from aerostat.ports.journal import RoundRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of a daemon."""

    number: int
    started_wall_s: float
    aerostat: str  # its version
    configuration: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TapePart:
    """About a minute of rounds in full, and what the engine knew before the first of them."""

    session: Session
    engine: str | None  # a digest of the engine that decided; None: it could not be told
    state: EngineState
    params: EngineParams
    rounds: tuple[RoundRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGuest:
    """A guest the store knows, and when it was seen last."""

    guest: GuestId
    name: str
    seen_wall_s: float
    number: str | None = None  # its platform's own id for it: Proxmox's VMID


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """A guest in the last round that was kept of it."""

    wall_s: float
    was_enforced: bool
    session: Session
    host: HostTrace
    snapshot: GuestSnapshot
    trace: GuestTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A decision about a guest that is another one than the one before, and what came of it."""

    wall_s: float
    was_enforced: bool
    is_change: bool  # a target was to be sent; False: it began to be held for this reason
    trace: GuestTrace
    reached_after_s: float | None = None  # when `actual` was there; None: not by then
    last_actual_bytes: int | None = None  # where `actual` was before the next target came
    is_last: bool = True  # no later target: it may still be on its way


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event, and the name of the guest it happened to."""

    wall_s: float
    name: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectChange:
    """The daemon found that what it does has no effect, or has one again."""

    wall_s: float
    host: HostTrace
