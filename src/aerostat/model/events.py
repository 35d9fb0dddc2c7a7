"""What happened between two rounds, in order; facts only, nothing decides here."""

from dataclasses import dataclass
from enum import StrEnum

from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep


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


HOST_ITSELF = GuestId("")
"""Stands where a VM would, in what happened to the host as a whole."""


class TechniqueAct(StrEnum):
    """What the host did with a technique of its own. Values are stable."""

    SWITCHED_ON = "switched_on"
    PUT_BACK = "put_back"  # as it was before Aerostat
    TOOK = "took"  # memory of one VM
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueUsed:
    """A technique of the host was to be used, and this came of it."""

    guest: GuestId  # or ``HOST_ITSELF``
    step: LadderStep
    act: TechniqueAct
    asked_bytes: int | None = None
    taken_bytes: int | None = None  # what the host really got back, pools counted in
    took_s: float | None = None
    detail: str = ""


class Command(StrEnum):
    """What an operator may say while the daemon runs. Values are stable."""

    SET = "set"  # limits over the configuration
    HOLD = "hold"  # nothing is taken from it
    UNHOLD = "unhold"  # ends a hold or a release
    RELEASE = "release"  # it gets its max now, and nothing is taken from it
    RECLAIM = "reclaim"  # so much is made free on the host
    ADMIT = "admit"  # a VM to come asks for room


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCommanded:
    """Somebody said something: kept, so that it can be told who moved what."""

    guest: GuestId
    command: Command
    who: str
    detail: str  # the command, as a person would have typed it


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReplaced:
    """Somebody else has set a guest's target: its balloon moves, and not for us."""

    guest: GuestId
    held_bytes: int  # before that
    actual_bytes: int
    for_s: float  # so long it is left to them, and longer if they go on


class PressureTrigger(StrEnum):
    """Which of a guest's PSI triggers fired. Values are stable."""

    SOME = "some"  # somebody in it waited for memory
    FULL = "full"  # everybody did


@dataclass(frozen=True, slots=True, kw_only=True)
class PressurePushed:
    """An agent in a guest says that its kernel noticed pressure just now. It is not trusted."""

    guest: GuestId
    trigger: PressureTrigger
    free_bytes: int | None  # in the guest at that moment, as it says
    is_first: bool  # there has been none for a while


Event = (
    TargetAnswered
    | TargetReplaced
    | BalloonMoved
    | LifecycleChanged
    | MemoryReserved
    | TechniqueUsed
    | OperatorCommanded
    | PressurePushed
)
