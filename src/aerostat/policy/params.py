"""The knobs of the policies; every one has a default that is safe to start from."""

from dataclasses import dataclass
from enum import StrEnum

from aerostat.units import MIB


class PolicyName(StrEnum):
    """The policies that can be chosen. Values are stable."""

    ADAPTIVE = "adaptive"
    STATIC = "static"
    PROPORTIONAL = "proportional"
    THRESHOLD = "threshold"
    SHARES = "shares"
    IDLE_TAX = "idle_tax"
    PRESSURE_PERCENT = "pressure_percent"
    BAND = "band"
    PROBE = "probe"
    SLACK = "slack"
    CLAIRVOYANT = "clairvoyant"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveParams:
    """Knobs of ``adaptive``."""

    headroom_ratio: float = 0.10  # demand = working set + this share of max, nothing being sure ...
    headroom_sure_ratio: float = 0.03  # ... less, down to this, the more its figures are sure ...
    headroom_bytes_min: int = 48 * MIB  # ... but at least this ...
    headroom_bytes_max: int = 1024 * MIB  # ... and at most this
    lookahead_s: float = 3.0  # a rise is believed to go on for as long as reacting to it takes
    fall_s: float = 10.0  # time constant of believing a fall; rises are believed at once


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticParams:
    """Knobs of ``static``: shares of the supply by weight, kept for good."""
