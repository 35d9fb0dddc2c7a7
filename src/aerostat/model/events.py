"""What happened between two rounds, in order; facts only, nothing decides here."""

from dataclasses import dataclass
from enum import StrEnum

from aerostat.model.guest import GuestId


class Outcome(StrEnum):
    """How a command ended. Accepted is not done: done is ``actual`` having moved."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # sent, no answer: re-read before acting again


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAnswered:
    """A target was sent to a guest, and this came of it."""

    guest: GuestId
    target_bytes: int
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalloonMoved:
    """The hypervisor announced a change of ``actual``."""

    guest: GuestId
    actual_bytes: int


class LifecycleKind(StrEnum):
    """What a VM's life brought. Values are stable."""

    APPEARED = "appeared"
    PAUSED = "paused"
    RESUMED = "resumed"
    RESET = "reset"  # a fresh kernel will inflate straight to the standing target
    SHUTDOWN_ASKED = "shutdown_asked"  # its power button was pressed: it runs until it obeys
    SHUTDOWN = "shutdown"
    CRASHED = "crashed"
    DISAPPEARED = "disappeared"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleChanged:
    """A guest was paused, resumed, reset, shut down, or came or went."""

    guest: GuestId
    kind: LifecycleKind
    detail: str | None = None  # in the hypervisor's own word, where it says why


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReserved:
    """Somebody is about to start or receive a VM: its memory is spoken for from now on.

    A reservation ends when the guest appears, when it is set to 0, or by itself after ``for_s``.
    """

    guest: GuestId  # the guest to be
    size_bytes: int
    for_s: float


Event = TargetAnswered | BalloonMoved | LifecycleChanged | MemoryReserved
