"""What is asked of the planner."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from aerostat.planner.constants import POOL_RATIO, REPORTED_RATIO, RESERVE_RATIO
from aerostat.ports.errors import AerostatError
from aerostat.sim.compression import COMPRESSED_RATIO

Figures = npt.NDArray[np.float64]


class PlanError(AerostatError):
    """A question that cannot be answered with this trace."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How many VMs of a trace fit on a host?

    Attributes:
        host_bytes: RAM of a host.
        hosts: how many of them; of two or more one may be lost.
        unmet_ratio_max: demand that may be left unmet, byte-seconds over byte-seconds.
        pressed_ratio_max: share of the time in which a host may have less than it needs.
        seed: of everything drawn.
        resamples: of VMs and days.
        hosts_a_resample: hosts drawn from each of them, for a day each.
        reported_ratio: of what is no longer in use, what free page reporting gives back.
        pool_ratio: of a host's RAM, what zswap's pages may take.
        compressed_ratio: what is left of a page in there.
        is_compiled: whether the simulator is; interpreted it is hundreds of times slower.
    """

    host_bytes: int
    hosts: int = 1
    unmet_ratio_max: float = 0.005
    pressed_ratio_max: float = 0.01
    seed: int = 1
    resamples: int = 16
    hosts_a_resample: int = 2
    reported_ratio: float = REPORTED_RATIO
    pool_ratio: float = POOL_RATIO
    compressed_ratio: float = COMPRESSED_RATIO
    is_compiled: bool = True

    @property
    def supply_bytes(self) -> int:
        """What all guests of a host may hold together."""
        return int(self.host_bytes * (1.0 - RESERVE_RATIO))

    @property
    def relief_bytes(self) -> int:
        """How much more fits when the pool of compressed pages is full."""
        return int(self.host_bytes * self.pool_ratio * (1.0 / self.compressed_ratio - 1.0))

    def compressed_bytes(self, gained: Figures) -> Figures:
        """How much must lie compressed for so much room: a page's own place there is no gain."""
        return np.minimum(gained, self.relief_bytes) / (1.0 - self.compressed_ratio)


class Technique(StrEnum):
    """How memory is shared on a host. Values are stable."""

    RESERVED = "reserved"
    OVERCOMMIT = "overcommit"
    REPORTING = "overcommit_reporting"
    ZSWAP = "overcommit_zswap"
    REPORTING_ZSWAP = "overcommit_reporting_zswap"
    BALLOONING = "ballooning"
    BALLOONING_REPORTING = "ballooning_reporting"
    BALLOONING_ZSWAP = "ballooning_zswap"
    BALLOONING_ADVISED = "ballooning_advised"

    @property
    def is_ballooned(self) -> bool:
        """Whether the policy ``adaptive`` moves balloons."""
        return self.name.startswith("BALLOONING")

    @property
    def is_reporting(self) -> bool:
        """Whether guests report free pages."""
        return self in (
            Technique.REPORTING,
            Technique.REPORTING_ZSWAP,
            Technique.BALLOONING_REPORTING,
        )

    @property
    def is_compressing(self) -> bool:
        """Whether the host compresses what does not fit."""
        return self in (Technique.ZSWAP, Technique.REPORTING_ZSWAP, Technique.BALLOONING_ZSWAP)


TITLES = {
    Technique.RESERVED: "every VM its own memory",
    Technique.OVERCOMMIT: "overcommit, host swap",
    Technique.REPORTING: "+ free page reporting",
    Technique.ZSWAP: "+ zswap",
    Technique.REPORTING_ZSWAP: "+ reporting and zswap",
    Technique.BALLOONING: "ballooning (adaptive)",
    Technique.BALLOONING_REPORTING: "ballooning and reporting",
    Technique.BALLOONING_ZSWAP: "ballooning and zswap",
    Technique.BALLOONING_ADVISED: "ballooning, limits below",
}
