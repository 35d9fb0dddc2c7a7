"""The parameters as plain numbers, the way the columns' arithmetic takes them."""

from dataclasses import dataclass

from aerostat.engine.params import Accounting, EngineParams, GuardRule
from aerostat.policy.columns import Table


@dataclass(slots=True)
class Knobs(Table):
    """Numbers only; see ``params`` for what each means. Rules are 1 (on) or 0 (off)."""

    is_guarded: int
    headroom_ratio: float
    headroom_sure_ratio: float
    headroom_bytes_min: int
    headroom_bytes_max: int
    lookahead_s: float
    fall_s: float
    figures_age_s_max: float
    grace_s: float
    cooldown_s: float
    distress_quiet_s: float
    dead_band_bytes: int
    dead_band_ratio: float
    step_ratio_max: float
    step_rate_max: int
    host_step_rate_max: int
    stall_s: float
    stall_retry_s: float
    stall_retry_s_max: float
    guest_floor_bytes: int
    shutdown_s: float
    yield_s: float
    protects: int
    checks_freshness: int
    keeps_grace: int
    spares_the_pressed: int
    keeps_floors: int
    limits_steps: int
    paces: int
    takes_once_a_sample: int
    notices_stalls: int
    backs_off: int
    brakes: int
    frees_first: int
    doubts: int
    spares_swapped: int
    counts_rising: int
    heeds_limits: int
    yields: int
    offers: int
    is_elastic: int


_ALL = dict.fromkeys(GuardRule, 1)
_NONE = dict.fromkeys(GuardRule, 0)


def knobs_of(params: EngineParams) -> Knobs:
    """Flatten the parameters."""
    adaptive, guard = params.adaptive, params.guard
    on = _ALL if params.is_guarded else _NONE
    if params.rules_off:
        on = {rule: 0 if rule in params.rules_off else value for rule, value in on.items()}
    has_no_band = GuardRule.DEAD_BAND in params.rules_off
    return Knobs(
        is_guarded=int(params.is_guarded),
        headroom_ratio=adaptive.headroom_ratio,
        headroom_sure_ratio=adaptive.headroom_sure_ratio,
        headroom_bytes_min=adaptive.headroom_bytes_min,
        headroom_bytes_max=adaptive.headroom_bytes_max,
        lookahead_s=adaptive.lookahead_s,
        fall_s=adaptive.fall_s,
        figures_age_s_max=guard.figures_age_max_s,
        grace_s=guard.grace_s,
        cooldown_s=guard.cooldown_s,
        distress_quiet_s=guard.distress_quiet_s,
        dead_band_bytes=0 if has_no_band else guard.dead_band_bytes,
        dead_band_ratio=0.0 if has_no_band else guard.dead_band_ratio,
        step_ratio_max=guard.step_ratio_max,
        step_rate_max=guard.step_rate_max,
        host_step_rate_max=guard.host_step_rate_max,
        stall_s=guard.stall_s,
        stall_retry_s=guard.stall_retry_s,
        stall_retry_s_max=guard.stall_retry_s_max,
        guest_floor_bytes=guard.guest_floor_bytes,
        shutdown_s=guard.shutdown_s,
        yield_s=guard.yield_s,
        protects=on[GuardRule.PROTECTION],
        checks_freshness=on[GuardRule.FRESHNESS],
        keeps_grace=on[GuardRule.GRACE],
        spares_the_pressed=on[GuardRule.PRESSURE],
        keeps_floors=on[GuardRule.FLOOR],
        limits_steps=on[GuardRule.STEP],
        paces=on[GuardRule.PACE],
        takes_once_a_sample=on[GuardRule.ONE_TAKE_A_SAMPLE],
        notices_stalls=on[GuardRule.STALL],
        backs_off=on[GuardRule.BACK_OFF],
        brakes=on[GuardRule.BRAKE],
        frees_first=on[GuardRule.FREE_FIRST],
        doubts=on[GuardRule.DOUBT],
        spares_swapped=on[GuardRule.HOST_SWAP],
        counts_rising=on[GuardRule.RISING],
        heeds_limits=on[GuardRule.CONFINED],
        yields=on[GuardRule.YIELD],
        offers=on[GuardRule.OFFER],
        is_elastic=int(params.host.accounting is Accounting.ELASTIC),
    )
