"""What an experiment records: one row a second, per guest and for the host."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSample:
    """One second of a guest's workload, as the guest itself reports it.

    Latencies are seconds from the *scheduled* arrival of a request, so that a stall hurts every
    request queued behind it. ``latency_histogram`` maps a bucket to a count of requests; bucket
    ``b`` covers [2**(b/12), 2**((b+1)/12)) microseconds, so that percentiles merge over guests.
    Counters (swap, faults, refaults, kills, pressure) are cumulative since the guest booted.
    """

    guest: str
    received_s: float  # host's monotonic clock
    uptime_s: float
    hot_bytes: int
    heap_bytes: int  # what the workload holds, touched
    offered: int  # requests due in this second
    served: int
    shed: int  # requests given up because they had waited too long; they count as offered
    latency_histogram: Mapping[int, int]
    latency_max_s: float
    checksum_errors: int  # cumulative
    total_bytes: int
    available_bytes: int
    free_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int
    swap_in_bytes: int
    swap_out_bytes: int
    major_faults: int
    refaults: int
    oom_kills: int
    pressure_some_s: float
    pressure_full_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSecond:
    """One guest in one second of an arm: its workload beside what the host saw and asked."""

    hot_bytes: int  # what the schedule asked for
    actual_bytes: int | None = None
    target_bytes: int | None = None
    used_bytes: int | None = None
    cache_bytes: int | None = None
    free_bytes: int | None = None
    held_bytes: int | None = None  # the host's own measure of the VM
    workload: WorkloadSample | None = None  # None: it said nothing in this second


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSecond:
    """One second of an arm; ``elapsed_s`` counts from the arm's start."""

    elapsed_s: float
    guests: Mapping[str, GuestSecond]
    host_held_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of an arm in which the schedule stands still."""

    start_s: float
    end_s: float
    hot_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenDecision:
    """A decision in words, when it was made."""

    elapsed_s: float
    guest: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRecording:
    """Everything one arm recorded."""

    policy: str  # "unconstrained", "static", "adaptive", ...
    technique: str | None = None  # where techniques stand against each other; the arm's name then
    title: str | None = None  # what people call the arm; None: by its policy
    repeat: int
    budget_bytes: int | None  # None: unconstrained
    phases: tuple[Phase, ...]
    seconds: tuple[ArmSecond, ...]
    decisions: tuple[SpokenDecision, ...] = ()
    daemon_cpu_s: float | None = None
    host_cpu_s: float | None = None  # CPU of the guests' QEMU processes
    kernel_cpu_s: float | None = None  # of the host's kernel threads: ksmd, kswapd
    cpu_split_s: Mapping[str, float] | None = None  # where processor time went, by name
    zswap_in_bytes: int | None = None
    zswap_out_bytes: int | None = None
    foreign_cores: float | None = None  # that others kept busy meanwhile, on average
    host_swap_in_bytes: int | None = None
    host_swap_out_bytes: int | None = None
    taken_back_bytes: int | None = None  # less than guests with all their memory cost the host
    churn_bytes: int | None = None  # sum of |change of actual| over guests
    why_invalid: str | None = None  # a guest died, foreign load, ...: the arm is not judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A finished experiment: its setting and its arms, in the order they ran."""

    name: str  # "demo", ...
    started_utc: str  # ISO 8601
    accelerator: str  # "kvm", "tcg" or "simulated"
    machine: Mapping[str, str | int | float]  # cores, ram_bytes, kernel, hypervisor
    world: Mapping[str, object]  # the schedule with its parameters and seed
    guest_max_bytes: Mapping[str, int]
    slo_s: float
    arms: tuple[ArmRecording, ...]
    notes: tuple[str, ...] = field(default=())
    take_backs: tuple["TakeBack", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """How long a technique took to take memory back, and to give it again."""

    technique: str
    contents: str  # "free" or "cold" in the guest
    asked_bytes: int
    taken_bytes: int  # by which the host's measured memory had fallen at most
    took_s: float | None  # until 95 % of what was asked; None: not within the deadline
    gave_s: float | None  # until the guest served again with all its memory in use
    huge_pages: bool = (
        False  # transparent ones, behind the guests; the lab's other guests have none
    )
