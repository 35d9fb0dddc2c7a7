"""Guests and parameters of the incidents: small, so that they boot and turn round soon."""

import pytest

from aerostat.engine.params import EngineParams, GuardParams, GuardRule, HostParams
from aerostat.lab.machine import MachineSpec, WorkloadSpec
from aerostat.model.limits import Amount, GuestLimits
from aerostat.policy.params import PolicyName
from aerostat.units import MIB

REAL = [pytest.mark.lab, pytest.mark.slow]
"""What every incident's tests are; guests boot slowly where others keep the machine busy."""

RAM_BYTES = 256 * MIB
SMALL_BYTES = 16 * MIB  # the hot set of a guest at rest
RATE = 1000
SYSTEM_BYTES = 68 * MIB
"""What such a guest uses beside its hot set."""

SWAPPING = ("ada", "bob", "cal")
BARE = "dan"  # has no swap


def spec(name: str, *, extra_args: tuple[str, ...] = ()) -> MachineSpec:
    """One guest; all have a disk with files."""
    return MachineSpec(
        name=name,
        ram_bytes=RAM_BYTES,
        swap="none" if name == BARE else "vda",
        swap_bytes=256 * MIB,
        disk_bytes=256 * MIB,
        workload=WorkloadSpec(hot_bytes=SMALL_BYTES, rate=RATE),
        extra_args=extra_args,
    )


def ours(
    budget_bytes: int,
    *,
    burst_reserve_bytes: int = 0,
    guard: GuardParams | None = None,
    without: GuardRule | None = None,
) -> EngineParams:
    """Our engine; pauses that only make a test long are short."""
    return EngineParams(
        host=HostParams(
            budget_bytes=budget_bytes,
            reserve=Amount(size_bytes=64 * MIB),
            burst_reserve=Amount(size_bytes=burst_reserve_bytes),
            burst_reserve_min=Amount(size_bytes=burst_reserve_bytes),
        ),
        guard=guard or hasty(),
        rules_off=frozenset() if without is None else frozenset({without}),
    )


def hasty(**changed: float) -> GuardParams:
    """The guard with short pauses: guests of a test have not been left alone for hours."""
    settings: dict[str, float] = {"grace_s": 2.0, "distress_quiet_s": 3.0, "stall_retry_s": 4.0}
    return GuardParams(**{**settings, **changed})  # type: ignore[arg-type] # all are numbers


def peer(policy: PolicyName, budget_bytes: int, *, period_s: float | None = None) -> EngineParams:
    """Somebody else's rule, under its own limits and without our guard.

    ``period_s``: how often it is asked; None: at the pace of its original.
    """
    return EngineParams(
        policy=policy,
        host=HostParams(
            budget_bytes=budget_bytes,
            reserve=Amount(size_bytes=64 * MIB),
            burst_reserve=Amount(size_bytes=0),
        ),
        default_limits=GuestLimits(minimum=Amount(size_bytes=80 * MIB)),
        policy_period_s=period_s,
        is_guarded=False,
    )
