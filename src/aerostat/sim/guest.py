"""A simulated virtual machine: its physics, its statistics, and what its workload reports."""

import zlib
from collections import deque
from dataclasses import replace
from math import floor
from typing import Any

from aerostat.model.figures import (
    Absence,
    AbsentFigure,
    BalloonStatistics,
    GuestPressure,
    VmFootprint,
)
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.sim.faults import Faults
from aerostat.sim.guest_state import GuestState, HeapMode, Load, booted, change_load
from aerostat.sim.host_side import HostSide
from aerostat.sim.physics import GuestBuild, live
from aerostat.sim.reclaim import HostStall
from aerostat.sim.seconds import GuestMemory, SecondTally, WorkloadSecond, workload_second
from aerostat.units import PAGE_BYTES

_FIGURES = (
    "total_bytes",
    "available_bytes",
    "free_bytes",
    "cache_bytes",
    "swap_in_bytes",
    "swap_out_bytes",
    "major_faults",
    "minor_faults",
)
_FIGURES_NOT_REPORTED = ("oom_kills", "alloc_stalls")  # QEMU 7.2 has no such keys
_SECONDS_KEPT = 600
_LIVING = (RunState.RUNNING, RunState.MIGRATING)


class SimulatedGuest:
    """One VM. Only its world moves it in time.

    Args:
        statistics_delay_s: when in each period its statistics are taken; guests are not in step.
    """

    def __init__(
        self, name: str, build: GuestBuild, load: Load, *, statistics_delay_s: float = 0.0
    ) -> None:
        self.guest = GuestId(name)
        self.name = name
        self.build = build
        self.faults = Faults()
        self.run_state = RunState.RUNNING
        self.is_backing_up = False
        self.host_side = HostSide()  # the host's own doing
        self._load = load
        self._state = _booted(build, load)
        self._target_bytes = float(build.max_bytes)
        self._statistics_delay_s = statistics_delay_s
        self._sample: BalloonStatistics | None = None
        self._pressure: GuestPressure | None = None
        self._next_sample_s = statistics_delay_s
        self._tally = SecondTally()
        self._powered_down_s: float | None = None
        self.pushed_bytes = 0.0  # written to its own swap in the last step
        self.given_bytes = 0.0  # and given to the balloon, of what the host held for it
        self._seconds: deque[WorkloadSecond] = deque(maxlen=_SECONDS_KEPT)

    @property
    def state(self) -> GuestState:
        """Its memory now; not to be changed."""
        return self._state

    @property
    def load(self) -> Load:
        """What its workload was last told to do."""
        return self._load

    @property
    def target_bytes(self) -> int:
        """The target that its hypervisor holds; it survives a reset."""
        return int(self._target_bytes)

    @property
    def actual_bytes(self) -> int:
        """What it holds, in whole pages as its driver counts them."""
        pages = round(self._state.balloon_bytes / PAGE_BYTES)
        return self.build.max_bytes - pages * PAGE_BYTES

    @property
    def disk_read_bytes(self) -> int:
        """Counter: what it has read of its disks, files and swap."""
        return int(self._state.file_read_bytes + self._state.swap_in_bytes)

    @property
    def held_bytes(self) -> float:
        """What the host holds for its memory, in RAM or in swap."""
        if self.faults.is_pinned:
            return float(self.build.max_bytes)
        kept = self._state.balloon_bytes if self.faults.keeps_touching else 0.0
        return self._state.backed_bytes + kept

    @property
    def is_alive(self) -> bool:
        """Whether its CPU runs."""
        return self.run_state in _LIVING

    @property
    def limit_bytes(self) -> int | None:
        """The memory limit of its process's own cgroup."""
        return self.build.limit_bytes

    @property
    def has_shut_down(self) -> bool:
        """Whether a shutdown has come to its end: it lasts longer the more its balloon holds."""
        if self._powered_down_s is None:
            return False
        physics = self.build.physics
        lasts_s = physics.shutdown_s
        lasts_s += self._state.balloon_bytes / physics.shutdown_balloon_bytes_per_s
        return self._state.uptime_s - self._powered_down_s >= lasts_s

    def power_down(self) -> None:
        """Somebody pressed its power button: its system begins to shut down, if it listens."""
        if self.faults.ignores_power_button:
            return
        self._powered_down_s = self._state.uptime_s

    def set_load(self, load: Load) -> None:
        """Tell the workload what to do from now on."""
        self._load = load
        change_load(self._state, load)

    def change_load(self, **changed: Any) -> None:
        """Change the named fields of what the workload was told to do."""
        self.set_load(replace(self._load, **changed))

    def set_hot(self, hot_bytes: int) -> None:
        """Tell the workload the size of its hot set."""
        self.set_load(replace(self._load, hot_bytes=hot_bytes))

    def read_files_once(self, file_bytes: int) -> None:
        """Files are read and never again: as far as there is room, the page cache keeps them."""
        state = self._state
        room = max(0.0, state.free_bytes - self.build.physics.free_bytes_high)
        state.cache_bytes += min(float(file_bytes), room)
        state.cache_peak_bytes = max(state.cache_peak_bytes, state.cache_bytes)
        state.backed_bytes = max(state.backed_bytes, state.in_use_bytes)

    def set_target(self, target_bytes: int) -> None:
        """The hypervisor takes a target: the guest's memory, clamped to its max."""
        self._target_bytes = float(min(target_bytes, self.build.max_bytes))
        self._state.balloon_has_yielded = False

    def start_ballooned(self, target_bytes: int) -> None:
        """It has been at a target since before the world began."""
        self.set_target(target_bytes)
        self._state.balloon_bytes = self.build.max_bytes - self._target_bytes
        self._state.backed_bytes = min(self._state.backed_bytes, self._state.actual_bytes)
        assert self._state.free_bytes > 0, f"{target_bytes} bytes are too few to have booted in"

    def reset(self) -> None:
        """A fresh kernel: empty memory, counters at zero, and the old target still standing."""
        self._state = _booted(self.build, self._load)
        self._sample = None
        self._pressure = None
        self._next_sample_s = self._statistics_delay_s
        self._tally = SecondTally()
        self._powered_down_s = None

    def advance(
        self,
        dt_s: float,
        *,
        now_s: float,
        wall_s: float,
        host_stall: HostStall,
    ) -> None:
        """Live for ``dt_s``, up to the instant ``now_s``."""
        self.pushed_bytes = self.given_bytes = 0.0
        if not self.is_alive:
            return  # and its clock stands still: statistics keep their last time stamp
        can_move = self.faults.has_driver and not self.faults.is_stalled
        second = floor(self._state.uptime_s + 1e-9)
        swapped_out_bytes, held_bytes = self._state.swap_out_bytes, self.held_bytes
        served = live(
            self._state,
            self._load,
            self.build,
            dt_s=dt_s,
            target_bytes=self._target_bytes if can_move else None,
            host_stall=host_stall,
        )
        self.pushed_bytes = self._state.swap_out_bytes - swapped_out_bytes
        self.given_bytes = max(0.0, held_bytes - self.held_bytes)
        self._tally.add(served)
        if floor(self._state.uptime_s + 1e-9) > second:
            self._seconds.append(
                workload_second(
                    self.name, self._state, self._tally, now_s=now_s, memory=self.memory()
                )
            )
        if self._state.uptime_s + 1e-9 >= self._next_sample_s:
            self._next_sample_s += self.build.physics.statistics_period_s
            self._sample_statistics(wall_s)

    def take_seconds(self) -> tuple[WorkloadSecond, ...]:
        """What the workload reported since last asked, at most its last 600 seconds."""
        seconds = tuple(self._seconds)
        self._seconds.clear()
        return seconds

    def memory(self) -> GuestMemory:
        """The guest's own view: with deflate-on-oom its total leaves the balloon in."""
        state, physics = self._state, self.build.physics
        outside = state.kernel_bytes + (0 if self.build.deflate_on_oom else state.balloon_bytes)
        droppable = max(0.0, state.cache_bytes - physics.cache_bytes_min)
        return GuestMemory(
            total_bytes=int(state.max_bytes - outside),
            available_bytes=max(0, int(state.free_bytes + droppable)),
            free_bytes=max(0, int(state.free_bytes)),
            cache_bytes=int(state.cache_bytes),
            swap_total_bytes=self.build.swap.size_bytes,
        )

    def heap_is_filled(self) -> bool:
        """Whether a workload that keeps its heap has touched all of it."""
        cold = self._load.mode is HeapMode.COLD
        return not cold or self._state.cold_unfilled_bytes + self._state.hot_untouched_bytes < 1

    def snapshot(self, *, wall_s: float, hypervisor_bytes: int) -> GuestSnapshot:
        """What a driver reads of it now."""
        return GuestSnapshot(
            guest=self.guest,
            name=self.name,
            run_state=self.run_state,
            max_bytes=self.build.max_bytes,
            actual_bytes=self.actual_bytes,
            has_balloon=True,
            deflates_on_oom=self.build.deflate_on_oom,
            disk_read_bytes=self.disk_read_bytes,
            is_backing_up=self.is_backing_up,
            statistics=self._statistics(wall_s),
            pressure=self._pressure,
            footprint=self._footprint(hypervisor_bytes),
        )

    def _statistics(self, wall_s: float) -> BalloonStatistics:
        if self._sample is None:
            absent = tuple(
                AbsentFigure(name=name, why=Absence.NEVER_SAMPLED)
                for name in (*_FIGURES, *_FIGURES_NOT_REPORTED)
            )
            return BalloonStatistics(sampled_wall_s=0.0, age_s=0.0, absent=absent)
        return replace(self._sample, age_s=max(0.0, wall_s - self._sample.sampled_wall_s))

    def _footprint(self, hypervisor_bytes: int) -> VmFootprint:
        side = self.host_side
        held = int(self.held_bytes - side.swapped_bytes) + hypervisor_bytes
        return VmFootprint(
            age_s=0.0,
            cgroup_bytes=held,
            rss_bytes=held,
            swap_bytes=int(side.swapped_bytes),
            swap_in_bytes=int(side.swap_in_bytes),
            major_faults=int(side.swap_in_bytes / PAGE_BYTES),
            pressure_some_total_s=side.waited_s,
            pressure_full_total_s=side.waited_s,
            limit_bytes=self.limit_bytes,
            limit_hits=int(side.limit_hits),
            pid=1 + zlib.crc32(self.name.encode()),
        )

    def _sample_statistics(self, wall_s: float) -> None:
        faults = self.faults
        is_silent = self._state.uptime_s < self.build.figures_after_s
        if not faults.has_driver or faults.has_frozen_statistics or is_silent:
            return
        memory, state = self.memory(), self._state
        claimed = faults.claimed_available_ratio
        values = {
            "total_bytes": memory.total_bytes,
            "available_bytes": memory.available_bytes,
            "free_bytes": memory.free_bytes,
            "cache_bytes": memory.cache_bytes,
            "swap_in_bytes": int(state.swap_in_bytes),
            "swap_out_bytes": int(state.swap_out_bytes),
            "major_faults": int(state.major_faults),
            "minor_faults": int(state.minor_faults),
        }
        if claimed is not None:
            values["available_bytes"] = int(claimed * memory.total_bytes)
        missing = (*(n for n in _FIGURES if n in faults.absent_figures), *_FIGURES_NOT_REPORTED)
        self._sample = BalloonStatistics(
            sampled_wall_s=float(floor(wall_s)),  # whole seconds, as QEMU stamps them
            age_s=0.0,
            absent=tuple(AbsentFigure(name=n, why=Absence.NOT_REPORTED) for n in missing),
            **{name: value for name, value in values.items() if name not in missing},
        )
        if self.build.has_agent:
            self._pressure = GuestPressure(
                sampled_wall_s=wall_s,
                age_s=0.0,
                some_total_s=state.pressure_some_s,
                full_total_s=state.pressure_full_s,
                refaults=int(state.refaults),
            )


def _booted(build: GuestBuild, load: Load) -> GuestState:
    state = booted(build.max_bytes, load, build.physics)
    if build.touches_all:
        state.backed_bytes = float(build.max_bytes)
    return state
