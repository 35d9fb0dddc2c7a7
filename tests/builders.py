"""Worlds for tests, with defaults: say only what a test is about."""

from dataclasses import dataclass, field, replace

from aerostat.engine.params import EngineParams, GuardParams, HostParams
from aerostat.engine.state import EngineState
from aerostat.engine.step import Step, step
from aerostat.model.events import Event, Outcome, TargetAnswered
from aerostat.model.figures import BalloonStatistics, GuestPressure, VmFootprint
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.host import HostMemory, HostSnapshot
from aerostat.model.limits import Amount
from aerostat.model.plan import GuestTrace
from aerostat.units import GIB, MIB

WALL_S = 1_790_000_000.0


def host_memory(*, total_gib: float = 64, available_gib: float = 48) -> HostMemory:
    return HostMemory(
        total_bytes=int(total_gib * GIB),
        available_bytes=int(available_gib * GIB),
        free_bytes=int(available_gib * GIB),
        cache_bytes=0,
        swap_total_bytes=0,
        swap_free_bytes=0,
    )


def params(*, budget_mib: int | None = 900, grace_s: float = 0.0, **other: object) -> EngineParams:
    """Parameters of a host with a budget, no burst reserve, and no grace unless asked for."""
    base = EngineParams(
        host=HostParams(
            budget_bytes=None if budget_mib is None else budget_mib * MIB,
            burst_reserve=Amount(size_bytes=0),
        ),
        guard=GuardParams(grace_s=grace_s),
    )
    return replace(base, **other)  # type: ignore[arg-type] # a test names real fields


@dataclass(kw_only=True)
class Guest:
    """A guest as a test tells it: sizes in MiB; counters go on by themselves."""

    name: str
    id: str | None = None  # where it is not its name
    max_mib: int = 512
    actual_mib: int | None = 512
    used_mib: int = 200  # what it cannot spare; the rest of actual is free or cache
    cache_mib: int = 0
    disk_read_mib: float = 0.0  # cumulative
    swap_in_mib: float = 0  # cumulative
    swap_out_mib: float = 0
    major_faults: int = 0
    run_state: RunState = RunState.RUNNING
    is_backing_up: bool = False
    has_balloon: bool | None = True
    deflates_on_oom: bool | None = None
    standing_target_mib: int | None = None  # as its hypervisor names it; None: it does not
    has_statistics: bool = True
    frozen_wall_s: float | None = None
    available_mib: int | None = None  # default: actual - used
    tells_available: bool = True
    held_mib: float | None = None  # the host's own measure of the VM; None: nothing of its process
    held_age_s: float = 0.0
    host_swap_mib: float | None = None  # of the VM, in the host's swap
    host_swap_in_mib: float | None = None  # cumulative
    host_waited_s: float | None = None  # cumulative
    limit_hits: int | None = None  # cumulative
    locked_mib: int = 0  # never reclaimed
    touched_mib: int | None = None  # of late, where the host looks at that
    unsplit_mib: int | None = None  # given in part of huge pages, which the host still holds
    pressure: GuestPressure | None = None  # what an agent in it says

    def snapshot(self, wall_s: float) -> GuestSnapshot:
        available = self.available_mib
        if available is None:
            available = max(0, (self.actual_mib or 0) - self.used_mib)
        sampled = wall_s if self.frozen_wall_s is None else self.frozen_wall_s
        statistics = BalloonStatistics(
            sampled_wall_s=sampled,
            age_s=max(0.0, wall_s - sampled),
            total_bytes=self.max_mib * MIB,
            available_bytes=available * MIB if self.tells_available else None,
            free_bytes=max(0, available - self.cache_mib) * MIB,
            cache_bytes=self.cache_mib * MIB,
            swap_in_bytes=int(self.swap_in_mib * MIB),
            swap_out_bytes=int(self.swap_out_mib * MIB),
            major_faults=self.major_faults,
        )
        return GuestSnapshot(
            guest=GuestId(self.id or self.name),
            name=self.name,
            run_state=self.run_state,
            max_bytes=self.max_mib * MIB,
            actual_bytes=None if self.actual_mib is None else self.actual_mib * MIB,
            has_balloon=self.has_balloon,
            deflates_on_oom=self.deflates_on_oom,
            standing_target_bytes=None
            if self.standing_target_mib is None
            else self.standing_target_mib * MIB,
            disk_read_bytes=int(self.disk_read_mib * MIB),
            is_backing_up=self.is_backing_up,
            statistics=statistics if self.has_statistics else None,
            pressure=self.pressure,
            footprint=self._footprint(),
        )

    def _footprint(self) -> VmFootprint | None:
        if self.held_mib is None:
            return None
        return VmFootprint(
            age_s=self.held_age_s,
            cgroup_bytes=int(self.held_mib * MIB),
            swap_bytes=None if self.host_swap_mib is None else int(self.host_swap_mib * MIB),
            swap_in_bytes=None
            if self.host_swap_in_mib is None
            else int(self.host_swap_in_mib * MIB),
            pressure_some_total_s=self.host_waited_s,
            limit_hits=self.limit_hits,
            pid=sum(self.name.encode()),
            locked_bytes=self.locked_mib * MIB,
            touched_bytes=None if self.touched_mib is None else self.touched_mib * MIB,
            unsplit_bytes=None if self.unsplit_mib is None else self.unsplit_mib * MIB,
        )


@dataclass(kw_only=True)
class World:
    """Drives ``step`` round by round over guests that obey, or do what a test says."""

    guests: list[Guest]
    params: EngineParams = field(default_factory=params)
    memory: HostMemory | None = field(default_factory=host_memory)
    obeys: bool = True
    now_s: float = 1000.0
    state: EngineState = field(default_factory=EngineState)
    events: list[Event] = field(default_factory=list)
    last: Step | None = None

    def round(self, *, elapse_s: float = 1.0) -> Step:
        """Run one round; accepted targets are reached before the next one."""
        self.now_s += elapse_s
        ordered = sorted(self.guests, key=lambda guest: guest.name)
        snapshot = HostSnapshot(
            now_s=self.now_s,
            wall_s=WALL_S + self.now_s,
            memory=self.memory,
            guests=tuple(guest.snapshot(WALL_S + self.now_s) for guest in ordered),
        )
        self.last = step(self.state, snapshot, self.events, self.params)
        self.state = self.last.state
        self.events = []
        for change in self.last.plan.changes:
            self._answer(change.guest, change.target_bytes)
        return self.last

    def rounds(self, count: int, *, elapse_s: float = 1.0) -> Step:
        for _ in range(count):
            self.round(elapse_s=elapse_s)
        assert self.last is not None
        return self.last

    def guest(self, name: str) -> Guest:
        return next(guest for guest in self.guests if guest.name == name)

    def trace(self, name: str) -> GuestTrace:
        assert self.last is not None
        return next(trace for trace in self.last.trace.guests if trace.name == name)

    def _answer(self, guest: GuestId, target_bytes: int) -> None:
        self.events.append(
            TargetAnswered(guest=guest, target_bytes=target_bytes, outcome=Outcome.ACCEPTED)
        )
        if self.obeys:
            self.guest(guest).actual_mib = target_bytes // MIB
