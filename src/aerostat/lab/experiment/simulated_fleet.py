"""Simulated guests, for where no QEMU is; everything they say is labelled simulated."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from types import TracebackType
from typing import Self

from aerostat.lab.recording import WorkloadSample
from aerostat.lab.schedule import GuestPlan, Schedule
from aerostat.sim.calibration import UNCALIBRATED, Constants
from aerostat.sim.constants import HostPhysics
from aerostat.sim.driver import SimulatedDriver
from aerostat.sim.guest_state import HeapMode, Load
from aerostat.sim.host import SimulatedSensor
from aerostat.sim.physics import GuestBuild
from aerostat.sim.seconds import WorkloadSecond
from aerostat.sim.virtual_time import SimClock
from aerostat.sim.world import GuestSpec, World
from aerostat.units import GIB


class SimulatedFleet:
    """Guests of a schedule in one simulated world, moved along the running loop's time.

    Args:
        schedule: which guests there are.
        constants: what they are made of.
        statistics_delay_s: when in each second all of them write their statistics: one driver has
            asked them to, at one time. Drawn by the world for each if not said.
    """

    accelerator = "simulated"
    notes = ("SIMULATED guests: no virtual machine ran for this",)

    def __init__(
        self,
        schedule: Schedule,
        constants: Constants = UNCALIBRATED,
        *,
        statistics_delay_s: float | None = None,
    ) -> None:
        self._schedule = schedule
        ram = sum(guest.ram_bytes for guest in schedule.guests)
        self._world = World(
            [
                replace(_spec(guest, schedule, constants), statistics_delay_s=statistics_delay_s)
                for guest in schedule.guests
            ],
            host=HostPhysics(total_bytes=2 * ram + 4 * GIB),
            seed=schedule.seed,
        )
        self._waiting: dict[str, list[WorkloadSecond]] = {g.name: [] for g in schedule.guests}
        self._tasks = asyncio.TaskGroup()
        self._life: asyncio.Task[None] | None = None
        self._clock: SimClock | None = None
        self.sensor = SimulatedSensor(self._world.host)

    async def __aenter__(self) -> Self:
        self._clock = SimClock(asyncio.get_running_loop())
        await self._tasks.__aenter__()
        self._life = self._tasks.create_task(self._world.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._life is not None:
            self._life.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def clock(self) -> SimClock:
        """The world's clock."""
        assert self._clock is not None
        return self._clock

    @property
    def machine(self) -> Mapping[str, str | int | float]:
        """The simulated host."""
        return {
            "cores": os.cpu_count() or 1,
            "ram_bytes": self.sensor.read().total_bytes,
            "kernel": "simulated",
            "hypervisor": "simulated",
        }

    def new_driver(self) -> SimulatedDriver:
        """A driver on this world."""
        return SimulatedDriver(self._world)

    def set_hot(self, guest: str, hot_bytes: int) -> None:
        """Order a hot set."""
        self._world.guest(guest).set_hot(hot_bytes)

    def order(self, guest: str, what: str, value: int | str) -> None:
        """Order what a real workload would understand: ``rate``, ``keep`` or ``files``."""
        ordered = self._world.guest(guest)
        match what:
            case "hot":
                ordered.set_hot(int(value))
            case "rate":
                ordered.change_load(requests_per_s=float(value))
            case "keep":
                ordered.change_load(mode=HeapMode(str(value)))
            case "files":
                ordered.read_files_once(int(value))
            case _:
                raise ValueError(f"no workload understands {what!r}")

    def next_sample(self, guest: str) -> WorkloadSample | None:
        """The oldest second nobody has taken yet."""
        waiting = self._waiting[guest]
        waiting.extend(self._world.guest(guest).take_seconds())
        return WorkloadSample(**asdict(waiting.pop(0))) if waiting else None

    def trouble(self, guest: str) -> str | None:
        """Simulated guests that are killed start again, and say so in their counters."""
        del guest
        return None

    def held_bytes(self, guest: str) -> int | None:
        """What the simulated host holds for the guest."""
        return round(self._world.guest(guest).held_bytes)

    def cpu_s(self) -> float | None:
        """Simulated guests use no CPU that would mean anything."""
        return None

    def waited_s(self) -> float | None:
        """Nobody takes a simulated guest's processor away."""
        return 0.0


def _spec(guest: GuestPlan, schedule: Schedule, constants: Constants) -> GuestSpec:
    hot = schedule.phases[0].hot_bytes[guest.name]
    swap_bytes = 0 if guest.swap == "none" else guest.swap_bytes
    return GuestSpec(
        name=guest.name,
        build=GuestBuild(
            max_bytes=guest.ram_bytes,
            # The real workload touches its heap by its requests alone.
            physics=replace(constants.guest, heap_fill_bytes_per_s=0.0),
            swap=replace(constants.swap, size_bytes=swap_bytes),
        ),
        load=Load(hot_bytes=hot, requests_per_s=float(schedule.rate), mode=HeapMode(guest.keep)),
    )
