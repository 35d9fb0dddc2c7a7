"""Everything the operator may declare, as the engine takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aerostat.model.guest import GuestId
from aerostat.model.host_state import HOST_STEPS, HostState, LadderStep
from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.model.orders import GuestOrder
from aerostat.policy.params import AdaptiveParams, PolicyName
from aerostat.units import GIB, MIB


class GuardRule(StrEnum):
    """The rules that keep guests safe. Experiments switch one off to show what it is for."""

    PROTECTION = "protection"  # distress, reset and shutdown release everything at once
    FRESHNESS = "freshness"  # old or absent figures take nothing
    GRACE = "grace"  # a guest that just appeared is left alone
    PRESSURE = "pressure"  # nothing is taken from a guest under pressure, or lately so
    FLOOR = "floor"  # min, what the guest's system needs, what it uses
    STEP = "step"  # memory in use is taken in small steps with pauses
    PACE = "pace"  # all guests of a host together give no more than so much a second
    ONE_TAKE_A_SAMPLE = "one_take_a_sample"  # no figure justifies two takes
    STALL = "stall"  # a balloon that does not move is left alone, and planned around
    BACK_OFF = "back_off"  # a take that hurt makes the next one wait, longer every time
    BRAKE = "brake"  # a guest moved to and fro too often is left alone for a while
    FREE_FIRST = "free_first"  # only what has come back is given
    DOUBT = "doubt"  # the host's own measure of a VM wins over what the guest says
    HOST_SWAP = "host_swap"  # what of a VM lies in the host's swap is not asked for
    RISING = "rising"  # a VM that tells nothing of itself counts with its growth
    CONFINED = "confined"  # one that its own cgroup holds down is given no more than that holds
    DEAD_BAND = "dead_band"  # too little to be worth a command is left alone
    BACKUP = "backup"  # a guest whose disks are being copied is not made to swap
    LEDGER = "ledger"  # memory promised to VMs to come counts from the promise on
    BURST_RESERVE = "burst_reserve"  # part of the supply is kept for distress, and for nothing else
    OFFER = "offer"  # who reads its files again is offered more, to see what that saves
    YIELD = "yield"  # one whose target somebody else has set is left to them for a while


class Accounting(StrEnum):
    """What is counted against the host's memory."""

    STRICT = "strict"  # what guests may hold, touched or not: the host never has to swap
    ELASTIC = "elastic"  # what they do hold: memory is taken only as the host runs short


@dataclass(frozen=True, slots=True, kw_only=True)
class HostParams:
    """What the host keeps for itself, and so what its guests together may hold."""

    accounting: Accounting = Accounting.STRICT
    budget_bytes: int | None = None  # what guests together may hold; None: the host's RAM decides
    reserve: Amount = Amount(max_ratio=0.10)  # of the host's RAM, never handed out by the balance
    # Of the supply, kept back for guests in distress:
    burst_reserve_min: Amount = Amount(max_ratio=0.05)  # always, if `burst_reserve` is no less
    burst_reserve: Amount = Amount(max_ratio=0.10)  # at most, where they have risen so far


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardParams:
    """Limits on how memory may be taken. Giving has none of these."""

    figures_age_max_s: float = 5.0  # older figures never take memory
    grace_s: float = 10.0  # nothing is taken from a guest that just appeared, resumed or was reset
    cooldown_s: float = 5.0  # between two takes from one guest while nobody is short
    distress_quiet_s: float = 15.0  # no take until distress has been over for so long
    dead_band_bytes: int = 8 * MIB  # smaller changes are not worth a balloon's while
    dead_band_ratio: float = 0.0025
    step_ratio_max: float = 0.05  # of max, per take of memory the guest uses for something
    step_rate_max: int = 256 * MIB  # bytes per second of the period of its figures, in all
    host_step_rate_max: int = 2 * GIB  # bytes per second, of all guests of the host together
    stall_s: float = 5.0  # `actual` not moving for so long is a stalled balloon
    stall_retry_s: float = 30.0  # first quarantine; doubles up to the maximum
    stall_retry_s_max: float = 600.0
    guest_floor_bytes: int = 128 * MIB  # no guest's system lives in less
    # A guest asked to shut down is released, and not taken from for so long: 180 s were seen of
    # Windows with a full balloon. One that is still there then did not obey.
    shutdown_s: float = 300.0
    yield_s: float = 300.0  # whose target somebody else has set is moved for distress alone


_BALLOONS = (LadderStep.REPORTING, LadderStep.TAKE_FREE, LadderStep.TAKE_BY_WEIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderParams:
    """What may be used in which state of the host; by default balloons, and nothing beside them."""

    comfortable: tuple[LadderStep, ...] = _BALLOONS
    soft: tuple[LadderStep, ...] = _BALLOONS
    hard: tuple[LadderStep, ...] = (*_BALLOONS, LadderStep.REFUSE_STARTS)
    critical: tuple[LadderStep, ...] = (*_BALLOONS, LadderStep.REFUSE_STARTS, LadderStep.ALERT)
    put_back_s: float = 300.0  # what no state has asked for so long is put back as it was

    def steps(self, state: HostState) -> tuple[LadderStep, ...]:
        """What is declared for a state; in one that is not known, what every state may."""
        match state:
            case HostState.COMFORTABLE | HostState.UNKNOWN:
                return self.comfortable
            case HostState.SOFT:
                return self.soft
            case HostState.HARD:
                return self.hard
            case HostState.CRITICAL:
                return self.critical

    @property
    def host_steps(self) -> frozenset[LadderStep]:
        """Techniques of the host that any state may use: they are switched on, and put back."""
        return frozenset(self._declared.intersection(HOST_STEPS))

    @property
    def acts_on_host(self) -> bool:
        """Whether any state has the host do something itself, splitting huge pages included."""
        return bool(self.host_steps) or LadderStep.SPLIT in self._declared

    @property
    def _declared(self) -> frozenset[LadderStep]:
        return frozenset({*self.comfortable, *self.soft, *self.hard, *self.critical})


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParams:
    """All parameters of ``engine.step``."""

    policy: PolicyName = PolicyName.ADAPTIVE
    host: HostParams = HostParams()
    guard: GuardParams = GuardParams()
    adaptive: AdaptiveParams = AdaptiveParams()
    ladder: LadderParams = LadderParams()
    default_limits: GuestLimits = GuestLimits()
    rules: tuple[LimitRule, ...] = ()
    orders: Mapping[GuestId, GuestOrder] = field(default_factory=dict)  # at run time, over rules
    round_s: float = 0.5  # the pace when nothing is moving
    round_moving_s: float = 0.25  # the pace while a balloon moves or memory is awaited
    policy_period_s: float | None = None  # for baselines; None: the period of their original
    # For the clairvoyant of experiments: a guest's true demand now, and in the next interval.
    known_demands: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rules_off: frozenset[GuardRule] = frozenset()  # for experiments only
    is_guarded: bool = True  # False, in simulator and lab only: a baseline under its own rules
