"""What a round decided: targets to send now, and the trace that says why."""

from dataclasses import dataclass

from aerostat.model.effect import Effect
from aerostat.model.guest import GuestId
from aerostat.model.host_state import HostState, LadderStep
from aerostat.model.reasons import Bound, Reason
from aerostat.model.sealed import sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChange:
    """Ask a guest to hold ``target_bytes`` (its logical memory, never the balloon's size)."""

    guest: GuestId
    target_bytes: int
    reason: Reason
    is_urgent: bool = False  # from guest protection: sent first, past every limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Commands of one round, in the order to send them, and when to look again."""

    changes: tuple[TargetChange, ...] = ()
    next_round_s: float = 1.0  # how long until something could be to do


@sealed
class GuestTrace:
    """One guest in one round: what was believed, wished, bound and decided. Bytes, or absent."""

    guest: GuestId
    name: str
    reason: Reason
    bound: Bound
    target_before_bytes: int | None
    target_bytes: int | None  # None: this guest has no target of ours
    actual_bytes: int | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    used_bytes: int | None = None  # actual - available
    available_bytes: int | None = None
    free_bytes: int | None = None
    cache_bytes: int | None = None
    demand_bytes: int | None = None  # working set, lately and soon, and headroom
    wish_bytes: int | None = None  # what the policy asked for, before the guard
    headroom_bytes: int | None = None  # kept free beyond the working set: more, the less is sure
    floor_bytes: int | None = None  # below this nothing is taken of it: what bound it is part of it
    confidence: float | None = None  # how sure its figures are, 0 to 1
    figures_age_s: float | None = None
    swap_in_bytes_per_s: float | None = None
    swap_out_bytes_per_s: float | None = None
    major_faults_per_s: float | None = None
    pressure_some_ratio: float | None = None
    refaults_per_s: float | None = None  # pages of its cache that it missed, by its agent
    is_distressed: bool = False
    is_stalled: bool = False
    is_doubted: bool = False  # the host measures much more than it says it holds
    is_confined: bool = False  # a memory limit of its own cgroup makes it wait
    host_swap_bytes: int | None = None  # of the VM, in the host's swap
    host_swapped_out_bytes: int | None = None  # went there lately: about what the last minute saw
    host_swap_in_bytes_per_s: float | None = None  # read back from there for it
    host_waiting_ratio: float | None = None  # of the time, one of its threads waits for memory
    host_rising_bytes: int | None = (
        None  # what it is about to take of the host, counted nowhere else
    )
    host_unsplit_bytes: int | None = None  # what it gave and the host has not: huge pages in part
    due_bytes: int | None = None  # its share by weight, if everybody wanted all it can have
    is_owed: bool = False  # in distress for seconds with less than that, which others hold


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTrace:
    """The host's account in one round. ``held`` counts what has come back, not what was asked."""

    supply_bytes: int | None  # what all guests together may hold
    committed_bytes: int  # sum of max(actual, target) over guests
    demand_bytes: int  # sum of the demands that are known
    short_bytes: int = 0  # demand that the supply cannot meet
    reserved_bytes: int = 0  # promised to VMs that are not here yet
    rising_bytes: int = 0  # what VMs that tell nothing of themselves are about to take
    owed_bytes: int = 0  # what guests in distress lack of their due, and nobody can be made to give
    state: HostState = HostState.COMFORTABLE
    allowed: tuple[LadderStep, ...] = ()
    in_use: tuple[LadderStep, ...] = ()  # techniques of the host that are on for the ladder
    effect: Effect = Effect.WORKING
    futile_rounds: int = 0  # rounds of orders in a row that moved nothing anywhere
    idle_short_s: float = 0.0  # so long short, with figures, and nothing ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrace:
    """Everything one round decided; explanations are read off this, never computed again."""

    now_s: float
    wall_s: float
    host: HostTrace
    guests: tuple[GuestTrace, ...]
