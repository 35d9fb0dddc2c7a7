"""All checks that a scenario may name."""

from typing import Annotated

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
    | round_checks.RoundsAtLeastEvery,
    Field(discriminator="check"),
]

__all__ = ["AnyCheck", "Check"]
