"""Turns the file's document into the parameters the engine takes."""

from pathlib import Path

from aerostat.config.document import AdvancedTable, Document, GuestsTable, GuestTable, LadderTable
from aerostat.engine.params import EngineParams, GuardParams, HostParams, LadderParams
from aerostat.host.techniques.managed import TechniqueSettings
from aerostat.model.limits import GuestLimits, LimitRule
from aerostat.policy.params import AdaptiveParams


def engine_params(document: Document) -> EngineParams:
    """Everything the operator declared for the engine."""
    return EngineParams(
        policy=document.policy,
        host=HostParams(
            budget_bytes=document.host.budget,
            reserve=document.host.reserve,
            burst_reserve=document.host.burst_reserve,
            burst_reserve_min=document.host.burst_reserve_min,
            accounting=document.host.accounting,
        ),
        guard=_guard(document.advanced),
        adaptive=_adaptive(document.advanced),
        ladder=_ladder(document.ladder),
        default_limits=_limits(document.guests),
        rules=tuple(_rule(rule, document.guests) for rule in document.guest),
        round_s=document.advanced.round,
        round_moving_s=document.advanced.round_moving,
    )


def _limits(table: GuestsTable) -> GuestLimits:
    return GuestLimits(
        minimum=table.min,
        maximum=table.max,
        weight=table.weight,
        is_managed=table.managed,
        exempt=frozenset(table.exempt),
    )


def _rule(rule: GuestTable, defaults: GuestsTable) -> LimitRule:
    limits = GuestLimits(
        minimum=defaults.min if rule.min is None else rule.min,
        maximum=defaults.max if rule.max is None else rule.max,
        weight=defaults.weight if rule.weight is None else rule.weight,
        is_managed=defaults.managed if rule.managed is None else rule.managed,
        exempt=frozenset(defaults.exempt if rule.exempt is None else rule.exempt),
    )
    return LimitRule(name_glob=rule.name, tag_glob=rule.tag, limits=limits)


def _ladder(table: LadderTable) -> LadderParams:
    return LadderParams(
        comfortable=table.comfortable,
        soft=table.soft,
        hard=table.hard,
        critical=table.critical,
        put_back_s=table.put_back,
    )


def technique_settings(document: Document) -> TechniqueSettings:
    """How the host's own techniques are to be used."""
    table = document.ladder
    return TechniqueSettings(
        compress_with=table.compress_with,
        pool=table.pool,
        swap_file=None if table.swap_file is None else Path(table.swap_file),
        swap_size_bytes=table.swap_size,
        merge_rate=table.merge_rate,
    )


def _guard(advanced: AdvancedTable) -> GuardParams:
    return GuardParams(
        figures_age_max_s=advanced.figures_age_max,
        grace_s=advanced.grace,
        cooldown_s=advanced.cooldown,
        distress_quiet_s=advanced.distress_quiet,
        dead_band_bytes=advanced.dead_band,
        step_ratio_max=advanced.step,
        step_rate_max=advanced.step_rate,
        host_step_rate_max=advanced.host_step_rate,
        stall_s=advanced.stall,
        stall_retry_s=advanced.stall_retry,
        stall_retry_s_max=advanced.stall_retry_max,
        guest_floor_bytes=advanced.guest_floor,
        shutdown_s=advanced.shutdown,
        yield_s=advanced.yield_to_others,
    )


def _adaptive(advanced: AdvancedTable) -> AdaptiveParams:
    return AdaptiveParams(
        headroom_ratio=advanced.headroom,
        headroom_sure_ratio=advanced.headroom_sure,
        headroom_bytes_min=advanced.headroom_min,
        headroom_bytes_max=advanced.headroom_max,
        lookahead_s=advanced.lookahead,
        fall_s=advanced.fall,
    )
