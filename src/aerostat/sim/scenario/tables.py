"""The shape of a scenario file: its tables, keys and defaults. Field names are the file's keys."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from aerostat.config.document import AdvancedTable
from aerostat.config.values import (
    DurationS,
    GuestAmount,
    HostAmount,
    ShareRatio,
    SizeBytes,
    Truth,
    Weight,
    choice,
    within,
)
from aerostat.engine.params import Accounting, EngineParams, GuardRule
from aerostat.model.limits import GuestLimits
from aerostat.policy.params import PolicyName
from aerostat.sim.ages import UNIFORM
from aerostat.sim.constants import GuestPhysics, HostPhysics, SwapDevice
from aerostat.sim.guest_state import HeapMode, Load
from aerostat.sim.physics import GuestBuild
from aerostat.sim.scenario.checks import AnyCheck
from aerostat.sim.scenario.happening import FaultTable, Happening
from aerostat.sim.scenario.values import AgesValue, Pace, Sentence, SizeOrNone, Table

_HOST = HostPhysics()
_PHYSICS = GuestPhysics()
_SWAP = SwapDevice()
_LOAD = Load()
_LIMITS = GuestLimits()
_PARAMS = EngineParams()


class HostTable(Table):
    """The host, and what the operator declares for it."""

    ram: SizeBytes = _HOST.total_bytes
    others: SizeOrNone = _HOST.other_bytes
    overhead: SizeOrNone = _HOST.hypervisor_bytes
    swap: SizeOrNone = _HOST.swap_bytes
    shared: SizeOrNone = 0
    page_in: DurationS = _HOST.page_in_s
    swap_sticks: Truth = _HOST.swap_sticks  # until touched, also when there is room again
    swap_out_rate: Pace = _HOST.swap_out_bytes_per_s  # a second
    compressed: ShareRatio = _HOST.compressed_ratio  # of its size is left of a compressed page
    pool: SizeOrNone = _HOST.compressed_pool_bytes_max  # RAM for compressed pages
    scan_rate: Pace = _HOST.merge_scan_bytes_per_s  # of the scanner for equal pages, a second
    kills: Truth = _HOST.kills_when_full  # the biggest VM, once RAM and swap are full
    budget: SizeBytes | None = None
    reserve: HostAmount = _PARAMS.host.reserve
    burst_reserve: HostAmount = _PARAMS.host.burst_reserve_min
    accounting: Annotated[Accounting, BeforeValidator(choice(Accounting))] = _PARAMS.host.accounting


class GuestTable(Table):
    """A guest, or several alike; what its workload does at first."""

    name: Sentence
    count: Annotated[int, Field(ge=1, le=1000)] | None = None  # name-00, name-01, ...
    ram: SizeBytes
    swap: SizeOrNone = _SWAP.size_bytes
    swap_out_rate: SizeBytes = int(_SWAP.out_bytes_per_s)  # a second
    deflate_on_oom: Truth = True
    hot: SizeOrNone = _LOAD.hot_bytes
    keep: Annotated[HeapMode, BeforeValidator(choice(HeapMode))] = _LOAD.mode
    heap: SizeOrNone = 0
    rate: Annotated[int, Field(ge=0, le=10_000)] = int(_LOAD.requests_per_s)
    files: SizeOrNone = 0
    file_pages: Annotated[int, Field(ge=0)] = 0  # read a second
    request_files: Annotated[float, Field(ge=0, le=100)] = 0.0  # pages of files a request waits for
    file_read: DurationS = _PHYSICS.file_read_s  # for a page that the cache has dropped
    ages: AgesValue | None = None  # accesses that the hot set's youngest 16th, 8th, 4th, half take
    file_ages: AgesValue | None = None  # the same of its files
    identical: SizeOrNone = 0  # of its memory, that other guests hold as well
    reporting: Truth = False  # of free pages, to the host
    min: GuestAmount = _LIMITS.minimum
    weight: Weight = _LIMITS.weight
    managed: Truth = _LIMITS.is_managed
    target: SizeBytes | None = None  # standing from before the scenario
    appears: DurationS | None = None  # by default it is there from the start
    asks: DurationS | None = None  # and wants to be let in first, waiting so long at most
    figures_after: DurationS = 0.0
    agent: Truth = False  # in it: tells how long it waits and what it misses of its cache
    limit: SizeBytes | None = None  # of its process's own memory cgroup
    touches_all: Truth = False
    inflate_rate: SizeBytes = int(_PHYSICS.inflate_bytes_per_s)  # a second
    untouched_factor: Annotated[float, Field(gt=0, le=1000)] = _PHYSICS.inflate_untouched_factor
    deflate_rate: SizeBytes = int(_PHYSICS.deflate_bytes_per_s)
    fill_rate: SizeBytes = int(_PHYSICS.heap_fill_bytes_per_s)
    fault: FaultTable = FaultTable()

    def names(self) -> tuple[str, ...]:
        """The guests that this describes."""
        if self.count is None:
            return (self.name,)
        return tuple(f"{self.name}-{number:02d}" for number in range(self.count))

    def limits(self) -> GuestLimits:
        """The operator's word on it."""
        return GuestLimits(minimum=self.min, weight=self.weight, is_managed=self.managed)

    def build(self) -> GuestBuild:
        """What it is made of."""
        return GuestBuild(
            max_bytes=self.ram,
            physics=GuestPhysics(
                inflate_bytes_per_s=self.inflate_rate,
                deflate_bytes_per_s=self.deflate_rate,
                inflate_untouched_factor=self.untouched_factor,
                heap_fill_bytes_per_s=self.fill_rate,
                file_read_s=self.file_read,
            ),
            swap=SwapDevice(size_bytes=self.swap, out_bytes_per_s=self.swap_out_rate),
            deflate_on_oom=self.deflate_on_oom,
            free_page_reporting=self.reporting,
            figures_after_s=self.figures_after,
            has_agent=self.agent,
            limit_bytes=self.limit,
            touches_all=self.touches_all,
        )

    def load(self) -> Load:
        """What its workload does at first."""
        return Load(
            hot_bytes=self.hot,
            requests_per_s=float(self.rate),
            mode=self.keep,
            heap_bytes=self.heap,
            file_bytes=self.files,
            file_pages_per_s=float(self.file_pages),
            request_file_pages=self.request_files,
            ages=self.ages or UNIFORM,
            file_ages=self.file_ages or UNIFORM,
            identical_bytes=self.identical,
        )


class PeerTable(Table):
    """Somebody else's rule that fails here, at these checks, and why."""

    policy: Annotated[PolicyName, BeforeValidator(choice(PolicyName))]
    breaks: Annotated[tuple[str, ...], Field(min_length=1)]
    because: Sentence


class WithoutTable(Table):
    """The rule of our guard without which this goes wrong, at these checks, and why."""

    rule: Annotated[GuardRule, BeforeValidator(choice(GuardRule))]
    breaks: Annotated[tuple[str, ...], Field(min_length=1)]
    because: Sentence


class Scenario(Table):
    """The whole file."""

    title: Sentence  # what must hold, in a sentence
    incident: Sentence | None = None  # R1 to R20
    source: Sentence  # where it comes from
    must_happen: Sentence
    protects: Sentence  # the invariant
    known_failure: Sentence | None = None  # what our engine still gets wrong here
    duration: Annotated[DurationS, within("1s", "1d")]
    step: Annotated[DurationS, within("10ms", "1s")] = 0.1
    seed: int = 0
    starts_without_daemon: Truth = False
    peer: PeerTable | None = None
    without: tuple[WithoutTable, ...] = ()
    host: HostTable = HostTable()
    advanced: AdvancedTable = AdvancedTable()
    guest: Annotated[tuple[GuestTable, ...], Field(min_length=1)]
    at: tuple[Happening, ...] = ()
    must: Annotated[tuple[AnyCheck, ...], Field(min_length=1)]

    @property
    def names(self) -> tuple[str, ...]:
        """All guests that there ever are, ordered."""
        return tuple(sorted(name for guest in self.guest for name in guest.names()))
