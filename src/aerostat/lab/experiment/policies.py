"""The arms of a comparison: what each policy's name means in parameters."""

from collections.abc import Mapping

from aerostat.engine.params import EngineParams, HostParams
from aerostat.lab.schedule import SYSTEM_BYTES, PhasePlan, Schedule
from aerostat.model.limits import Amount, GuestLimits
from aerostat.policy.params import PolicyName
from aerostat.units import MIB

UNCONSTRAINED = "unconstrained"
STATIC = PolicyName.STATIC.value
ADAPTIVE = PolicyName.ADAPTIVE.value
CLAIRVOYANT = PolicyName.CLAIRVOYANT.value

ARM_POLICIES = tuple(name.value for name in PolicyName)
"""What can stand against each other; the unconstrained reference always runs first."""

_NO_RESERVE = Amount(size_bytes=0)
_MARGIN_BYTES = 24 * MIB
"""What the clairvoyant adds to a guest's true demand: a kernel out of pages reclaims at once."""


def arm_params(policy: str, schedule: Schedule) -> EngineParams:
    """Parameters for an arm; they differ in the policy alone, never in what may be held.

    ``adaptive`` runs with the defaults that the product ships, whole guard included. All others run
    under their own rules, without our guard. Every guest has the same min in every arm.

    Raises:
        ValueError: no policy has this name.
    """
    if policy == UNCONSTRAINED:
        return _baseline(PolicyName.STATIC, sum(guest.ram_bytes for guest in schedule.guests))
    name = PolicyName(policy)
    if name is PolicyName.ADAPTIVE:
        return EngineParams(host=HostParams(budget_bytes=schedule.budget_bytes))
    return _baseline(name, schedule.budget_bytes)


def _baseline(policy: PolicyName, budget_bytes: int) -> EngineParams:
    return EngineParams(
        policy=policy,
        host=HostParams(budget_bytes=budget_bytes, burst_reserve=_NO_RESERVE),
        default_limits=GuestLimits(),
        is_guarded=False,
    )


def known_demands(
    schedule: Schedule, now: PhasePlan, later: PhasePlan
) -> Mapping[str, tuple[int, int]]:
    """What each guest truly needs in this phase and in the next: for the clairvoyant alone."""
    beside = SYSTEM_BYTES + _MARGIN_BYTES
    return {
        guest.name: (now.hot_bytes[guest.name] + beside, later.hot_bytes[guest.name] + beside)
        for guest in schedule.guests
    }
