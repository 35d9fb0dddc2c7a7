"""Everything the operator may declare, as the engine takes it."""

from dataclasses import dataclass

from aerostat.model.limits import Amount, GuestLimits, LimitRule
from aerostat.policy.params import AdaptiveParams, PolicyName
from aerostat.units import MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class HostParams:
    """What the host keeps for itself, and so what its guests together may hold."""

    budget_bytes: int | None = None  # what guests together may hold; None: the host's RAM decides
    reserve: Amount = Amount(max_ratio=0.10)  # of the host's RAM, never handed out by the balance
    burst_reserve: Amount = Amount(
        max_ratio=0.05
    )  # of the supply: kept back for guests in distress


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
    step_bytes_max: int = 256 * MIB
    stall_s: float = 5.0  # `actual` not moving for so long is a stalled balloon
    stall_retry_s: float = 30.0  # first quarantine; doubles up to the maximum
    stall_retry_s_max: float = 600.0
    guest_floor_bytes: int = 128 * MIB  # no guest's system lives in less


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParams:
    """All parameters of ``engine.step``."""

    policy: PolicyName = PolicyName.ADAPTIVE
    host: HostParams = HostParams()
    guard: GuardParams = GuardParams()
    adaptive: AdaptiveParams = AdaptiveParams()
    default_limits: GuestLimits = GuestLimits()
    rules: tuple[LimitRule, ...] = ()
    round_s: float = 0.5  # the pace when nothing is moving
    round_moving_s: float = 0.25  # the pace while a balloon moves or memory is awaited
    is_guarded: bool = True  # False, in simulator and lab only: a baseline under its own rules
