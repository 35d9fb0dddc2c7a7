"""All baselines by name.

``static`` and ``adaptive`` are not among them: they decide on needs that the engine has estimated.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aerostat.policy import (
    band,
    clairvoyant,
    idle_tax,
    pressure_percent,
    probe,
    proportional,
    shares,
    slack,
    threshold,
)
from aerostat.policy.baseline import Baseline, new_no_memory
from aerostat.policy.params import PolicyName

_ALL: tuple[Baseline[Any], ...] = (
    Baseline(
        name=PolicyName.PROPORTIONAL,
        period_s=proportional.PERIOD_S,
        new_memory=proportional.new_memory,
        decide=proportional.decide,
    ),
    Baseline(
        name=PolicyName.THRESHOLD,
        period_s=threshold.PERIOD_S,
        new_memory=threshold.new_memory,
        decide=threshold.decide,
    ),
    Baseline(
        name=PolicyName.SHARES,
        period_s=shares.PERIOD_S,
        new_memory=new_no_memory,
        decide=shares.decide,
    ),
    Baseline(
        name=PolicyName.IDLE_TAX,
        period_s=idle_tax.PERIOD_S,
        new_memory=idle_tax.new_memory,
        decide=idle_tax.decide,
    ),
    Baseline(
        name=PolicyName.PRESSURE_PERCENT,
        period_s=pressure_percent.PERIOD_S,
        new_memory=new_no_memory,
        decide=pressure_percent.decide,
    ),
    Baseline(
        name=PolicyName.BAND,
        period_s=band.PERIOD_S,
        new_memory=band.new_memory,
        decide=band.decide,
    ),
    Baseline(
        name=PolicyName.PROBE,
        period_s=probe.PERIOD_S,
        new_memory=probe.new_memory,
        decide=probe.decide,
    ),
    Baseline(
        name=PolicyName.SLACK,
        period_s=slack.PERIOD_S,
        new_memory=new_no_memory,
        decide=slack.decide,
    ),
    Baseline(
        name=PolicyName.CLAIRVOYANT,
        period_s=clairvoyant.PERIOD_S,
        new_memory=new_no_memory,
        decide=clairvoyant.decide,
    ),
)

BASELINES: Mapping[PolicyName, Baseline[Any]] = MappingProxyType(
    {baseline.name: baseline for baseline in _ALL}
)
"""Every baseline; ``clairvoyant`` needs figures that only an experiment has."""
