"""All checks that a scenario may name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, get_args

from pydantic import Field

from aerostat.sim.scenario import guest_checks, host_checks, round_checks, target_checks
from aerostat.sim.scenario.check import Check

AnyCheck = Annotated[
    target_checks.RaisedTo
    | target_checks.LoweredTo
    | target_checks.TargetNeverBelow
    | target_checks.NeverLowered
    | target_checks.NeverLoweredWhileStarving
    | target_checks.MovesAtMost
    | target_checks.FlipsAtMost
    | target_checks.TakesAtMost
    | target_checks.StepAtMost
    | target_checks.TakenTogetherAtMost
    | target_checks.PendingAtMost
    | guest_checks.StaysWithin
    | guest_checks.ServedAtLeast
    | guest_checks.OomKillsAtMost
    | guest_checks.SwapOutAtMost
    | guest_checks.SwapInAtMost
    | guest_checks.GoneBy
    | host_checks.HostAvailableAtLeast
    | host_checks.HostRecovers
    | host_checks.HostNeverOver
    | host_checks.HostSwapInAtMost
    | host_checks.ActualSumAtMost
    | host_checks.Refused
    | round_checks.ReasonSeen
    | round_checks.ReasonNever
    | round_checks.DoubtSeen
    | round_checks.FiguresAgeShown
    | round_checks.LadderSeen
    | round_checks.EffectSeen
    | round_checks.RoundsAtLeastEvery,
    Field(discriminator="check"),
]

_UNION = get_args(AnyCheck)[0]

CHECKS: Mapping[str, type[Check]] = MappingProxyType(
    {get_args(kind.model_fields["check"].annotation)[0]: kind for kind in get_args(_UNION)}
)
"""Every check by the word that a file has for it."""
