"""The arms of a comparison: what each policy's name means in parameters."""

from aerostat.engine.params import EngineParams, HostParams
from aerostat.lab.schedule import Schedule
from aerostat.model.limits import Amount, GuestLimits
from aerostat.policy.params import PolicyName

UNCONSTRAINED = "unconstrained"
STATIC = "static"
ADAPTIVE = "adaptive"

_NO_RESERVE = Amount(size_bytes=0)


def arm_params(policy: str, schedule: Schedule) -> EngineParams:
    """Parameters for an arm; they differ in the policy alone, never in what may be held.

    ``adaptive`` runs with the defaults that the product ships, whole guard included. ``static`` is
    a baseline and runs under its own rule: split evenly and hold.

    Raises:
        KeyError: no arm has this name.
    """
    whole = sum(guest.ram_bytes for guest in schedule.guests)
    arms = {
        UNCONSTRAINED: _fixed(whole),
        STATIC: _fixed(schedule.budget_bytes),
        ADAPTIVE: EngineParams(host=HostParams(budget_bytes=schedule.budget_bytes)),
    }
    return arms[policy]


def _fixed(budget_bytes: int) -> EngineParams:
    return EngineParams(
        policy=PolicyName.STATIC,
        host=HostParams(budget_bytes=budget_bytes, burst_reserve=_NO_RESERVE),
        default_limits=GuestLimits(minimum=_NO_RESERVE),
        is_guarded=False,
    )
