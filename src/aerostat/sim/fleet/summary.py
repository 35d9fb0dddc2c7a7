"""The figures of a run, and of several runs together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aerostat.sim.fleet.run import Outcome
from aerostat.sim.fleet.world import FleetWorld
from aerostat.units import GIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a policy made of a world, or of several of the same length of a tick."""

    short_byte_s: float
    wanted_byte_s: float
    worst_unmet_ratio: float  # of the guest that lacked most of what it wanted
    distressed_s: float  # guest seconds with more than a twentieth of the demand lacking
    below_reserve_s: float  # host seconds in which guests held more than the supply
    churn_bytes: int
    swap_in_bytes: int
    swap_out_bytes: int
    stalled_s: float
    guest_s: float  # guests times the length of the world
    host_s: float
    guest_ticks: int
    cpu_s: float
    digest: str
    lost_s: float = 0.0  # these under full physics alone: guest seconds of work not done
    refault_pages: float = 0.0
    oom_kills: int = 0  # in guests
    host_oom_kills: int = 0
    host_swap_in_bytes: int = 0
    host_swap_out_bytes: int = 0

    @property
    def unmet_ratio(self) -> float:
        """Demand that was not met, byte-seconds over byte-seconds."""
        return self.short_byte_s / self.wanted_byte_s if self.wanted_byte_s > 0 else 0.0

    @property
    def churn_gib_per_guest_hour(self) -> float:
        """GiB moved either way."""
        return self.churn_bytes / GIB / (self.guest_s / 3600)

    @property
    def distressed_s_per_guest_day(self) -> float:
        """Seconds in distress."""
        return self.distressed_s / (self.guest_s / 86400)

    @property
    def below_reserve_s_per_host_day(self) -> float:
        """Seconds in which the host's reserve was not whole."""
        return self.below_reserve_s / (self.host_s / 86400)

    @property
    def guest_ticks_per_s(self) -> float:
        """Pace of the run, on one core."""
        return self.guest_ticks / self.cpu_s if self.cpu_s > 0 else 0.0


def summary_of(world: FleetWorld, outcome: Outcome) -> Summary:
    """Sum up one run of a world."""
    return summarised(outcome, span_s=world.ticks * world.tick_s)


def summarised(outcome: Outcome, *, span_s: float) -> Summary:
    """Sum up one run that lasted so long."""
    short = _column(outcome, "short_byte_s")
    wanted = _column(outcome, "wanted_byte_s")
    unmet = np.divide(short, wanted, out=np.zeros(len(short)), where=wanted > 0)
    below = np.concatenate([np.asarray(part.hosts.below_reserve_s) for part in outcome.parts])
    return Summary(
        short_byte_s=float(short.sum()),
        wanted_byte_s=float(wanted.sum()),
        worst_unmet_ratio=float(unmet.max()),
        distressed_s=float(_column(outcome, "distressed_s").sum()),
        below_reserve_s=float(below.sum()),
        churn_bytes=int(_column(outcome, "churn_bytes").sum()),
        swap_in_bytes=int(_column(outcome, "swap_in_bytes").sum()),
        swap_out_bytes=int(_column(outcome, "swap_out_bytes").sum()),
        stalled_s=float(_column(outcome, "stalled_s").sum()),
        guest_s=span_s * len(short),
        host_s=span_s * len(below),
        guest_ticks=outcome.guest_ticks,
        cpu_s=outcome.cpu_s,
        digest=outcome.digest,
        lost_s=_sum(part.deep.insides.lost_s for part in outcome.parts),
        refault_pages=_sum(part.deep.insides.refault_pages for part in outcome.parts),
        oom_kills=int(_sum(part.deep.insides.oom_kills for part in outcome.parts)),
        host_oom_kills=int(_sum(part.deep.under.oom_kills for part in outcome.parts)),
        host_swap_in_bytes=int(_sum(part.deep.under.swap_in_bytes for part in outcome.parts)),
        host_swap_out_bytes=int(_sum(part.deep.under.swap_out_bytes for part in outcome.parts)),
    )


def together(runs: Sequence[Summary]) -> Summary:
    """Several runs as one, of which the worst guest is the worst of all."""
    return Summary(
        short_byte_s=sum(run.short_byte_s for run in runs),
        wanted_byte_s=sum(run.wanted_byte_s for run in runs),
        worst_unmet_ratio=max(run.worst_unmet_ratio for run in runs),
        distressed_s=sum(run.distressed_s for run in runs),
        below_reserve_s=sum(run.below_reserve_s for run in runs),
        churn_bytes=sum(run.churn_bytes for run in runs),
        swap_in_bytes=sum(run.swap_in_bytes for run in runs),
        swap_out_bytes=sum(run.swap_out_bytes for run in runs),
        stalled_s=sum(run.stalled_s for run in runs),
        guest_s=sum(run.guest_s for run in runs),
        host_s=sum(run.host_s for run in runs),
        guest_ticks=sum(run.guest_ticks for run in runs),
        cpu_s=sum(run.cpu_s for run in runs),
        digest="+".join(run.digest for run in runs),
        lost_s=sum(run.lost_s for run in runs),
        refault_pages=sum(run.refault_pages for run in runs),
        oom_kills=sum(run.oom_kills for run in runs),
        host_oom_kills=sum(run.host_oom_kills for run in runs),
        host_swap_in_bytes=sum(run.host_swap_in_bytes for run in runs),
        host_swap_out_bytes=sum(run.host_swap_out_bytes for run in runs),
    )


def _sum(columns: Iterable[Sequence[float]]) -> float:
    """The sum over all parts at once: how a fleet was cut must not show in the last digit."""
    return float(np.concatenate([np.asarray(column, dtype=np.float64) for column in columns]).sum())


def _column(outcome: Outcome, name: str) -> npt.NDArray[np.float64]:
    return np.concatenate([np.asarray(getattr(part.guests, name)) for part in outcome.parts])
