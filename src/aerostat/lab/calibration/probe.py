"""A probe: one guest, alone, ordered about by a timetable, so that its physics show one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aerostat.lab.machine.spec import Keep
from aerostat.lab.recording import WorkloadSample
from aerostat.lab.schedule import GuestPlan, PhasePlan, Schedule
from aerostat.units import MIB

GUEST = "probe"
RAM_BYTES = 512 * MIB
RATE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something ordered at an instant.

    Attributes:
        at_s: from the start of the probe.
        orders: to the workload: "hot", "rate", "keep", "files".
        target_mib: for the balloon; None: as it was.
        tells: the constant that the balloon's move tells directly, or None.
    """

    at_s: float
    orders: Mapping[str, int | str] = field(default_factory=dict)
    target_mib: int | None = None
    tells: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A timetable for one guest; it starts with a small hot set and all its memory."""

    name: str
    words: str
    acts: tuple[Act, ...]
    duration_s: float
    keep: Keep = "release"
    hot_mib: int = 40

    def schedule(self) -> Schedule:
        """Describe the guest as the lab's fleets want it."""
        hot_bytes = {GUEST: self.hot_mib * MIB}
        plan = GuestPlan(
            name=GUEST, ram_bytes=RAM_BYTES, keep=self.keep, swap="vda", swap_bytes=512 * MIB
        )
        return Schedule(
            name=f"probe-{self.name}",
            seed=1,
            rate=RATE,
            slo_s=0.02,
            budget_bytes=RAM_BYTES,
            compressible_percent=0,
            identical_percent=0,
            warm_up_s=0.0,
            settle_s=0.0,
            guests=(plan,),
            phases=(PhasePlan(duration_s=self.duration_s, hot_bytes=hot_bytes),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRecord:
    """What a guest did in a probe; times from its start.

    Attributes:
        probe: the timetable.
        actual: what it held, as often as was looked.
        samples: what its workload said, and when that came.
        waited: seconds in all that it was ready to run and others had the processors.
    """

    probe: Probe
    actual: tuple[tuple[float, int], ...]
    samples: tuple[tuple[float, WorkloadSample], ...]
    waited: tuple[tuple[float, float], ...] = ()

    @property
    def waited_ratio(self) -> float:
        """Of its time, how much others took from it: what it measured then is theirs, too."""
        if len(self.waited) < 2:
            return 0.0
        return (self.waited[-1][1] - self.waited[0][1]) / self.probe.duration_s


PROBES = (
    Probe(
        name="idle-cache",
        words="shrink an idle cache, memory never touched, and memory that was freed",
        acts=(
            Act(at_s=4, orders={"files": 250 * MIB}),
            Act(at_s=9, target_mib=230),
            Act(at_s=11, target_mib=512, tells="deflate_bytes_per_s"),
            # What a balloon gave back, the guest has not touched since.
            Act(at_s=13, target_mib=230, tells="untouched"),
            Act(at_s=15, target_mib=512, tells="deflate_bytes_per_s"),
            Act(at_s=16, orders={"hot": 350 * MIB}),
            Act(at_s=30, orders={"hot": 40 * MIB}),
            Act(at_s=31, target_mib=200, tells="inflate_bytes_per_s"),
            Act(at_s=33, target_mib=512, tells="deflate_bytes_per_s"),
        ),
        duration_s=35,
    ),
    Probe(
        name="hot-set",
        words="a burst, a hot set squeezed until it thrashes, and the release",
        acts=(
            Act(at_s=3, orders={"hot": 350 * MIB}),
            Act(at_s=20, target_mib=340),
            Act(at_s=40, target_mib=512),
        ),
        duration_s=55,
    ),
    Probe(
        name="cold-heap",
        words="a heap gone cold, squeezed into swap, and called back",
        keep="cold",
        acts=(
            Act(at_s=3, orders={"hot": 350 * MIB}),
            Act(at_s=20, orders={"hot": 40 * MIB}),
            Act(at_s=22, target_mib=200, tells="reclaim_blind_ratio"),
            Act(at_s=32, target_mib=512),
            Act(at_s=34, orders={"hot": 350 * MIB}),
        ),
        duration_s=60,
    ),
    Probe(
        name="capacity",
        words="more requests than it can serve, all pages there",
        hot_mib=80,
        acts=(Act(at_s=8, orders={"rate": 100_000}), Act(at_s=14, orders={"rate": RATE})),
        duration_s=16,
    ),
)
"""What calibration plays. Validation plays schedules of several guests under a policy instead."""
