"""Real guests: QEMU machines of the lab, booted together and looked after to their end."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from aerostat.drivers.qmp import QmpDriver
from aerostat.host.clock import SystemClock
from aerostat.host.footprint import FootprintReader
from aerostat.host.sensor import ProcHostSensor
from aerostat.lab.accelerator import Accelerator, probe_accelerator, qemu_version
from aerostat.lab.directory import PREFIX, own_directory
from aerostat.lab.image import GuestImage, build_image
from aerostat.lab.image.cache import cache_directory
from aerostat.lab.machine import Machine, MemoryGroup, clean_stale, find_hierarchy
from aerostat.lab.machine.errors import MachineError
from aerostat.lab.recording import WorkloadSample
from aerostat.lab.schedule import Schedule
from aerostat.ports.sensor import HostSensor

BOOT_DEADLINE_S = 60.0
BOOT_DEADLINE_A_GUEST_S = 20.0
"""Three guests boot in about 6 s under TCG on two quiet cores, in 21 s on busy ones."""

OnProgress = Callable[[str], None]
Variant = Callable[[GuestImage, Path, OnProgress], GuestImage]
"""Makes an image with an application out of the lab's own."""


class RealFleet:
    """Machines of a schedule, for use in an ``async with`` block; nothing is left behind."""

    def __init__(
        self,
        schedule: Schedule,
        on_progress: OnProgress,
        *,
        reports_free_pages: bool = False,
        huge_pages: bool = False,
        variant: Variant | None = None,
    ) -> None:
        """Describe it; with a ``variant`` of the image guests have a port to its application."""
        self._schedule = schedule
        self._reports_free_pages = reports_free_pages
        self._huge_pages = huge_pages
        self._on_progress = on_progress
        self._variant = variant
        self._stack = AsyncExitStack()
        self._machines: dict[str, Machine] = {}
        self._accelerator: Accelerator | None = None
        self._kernel = ""
        self.clock = SystemClock()
        self.sensor: HostSensor = ProcHostSensor()

    async def __aenter__(self) -> Self:
        """Build the image, choose the accelerator, and boot every machine.

        Raises:
            ImageError: the image cannot be built; the message says what to run.
            MachineError: a machine does not boot.
        """
        try:
            await self._boot()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def accelerator(self) -> str:
        """``kvm`` or ``tcg``."""
        assert self._accelerator is not None
        return self._accelerator.name

    @property
    def machine(self) -> Mapping[str, str | int | float]:
        """This machine, as a result document wants it."""
        return {
            "cores": os.cpu_count() or 1,
            "ram_bytes": self.sensor.read().total_bytes,
            "kernel": os.uname().release,
            "hypervisor": qemu_version(),
            "guest_kernel": self._kernel,
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures has to know."""
        assert self._accelerator is not None
        seen = dict.fromkeys(note for m in self._machines.values() for note in m.notes)
        if self._accelerator.name == "tcg":
            return (f"TCG, because {self._accelerator.why}", *seen)
        return tuple(seen)

    @property
    def group(self) -> MemoryGroup | None:
        """The cgroup that all the machines' own are in; None where there is none."""
        for machine in self._machines.values():
            if machine.cgroup is not None:
                return MemoryGroup(path=machine.cgroup.path.parent, version=machine.cgroup.version)
        return None

    def group_of(self, guest: str) -> MemoryGroup | None:
        """A guest's own cgroup."""
        return self._machines[guest].cgroup

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of the machines."""
        return tuple(machine.pid for machine in self._machines.values())

    def application_of(self, guest: str) -> Path:
        """The socket of a guest's application."""
        return self._machines[guest].files.application

    @property
    def directory(self) -> Path:
        """Where the machines' files are, on a disk with room."""
        return next(iter(self._machines.values())).files.qmp.parent

    def new_driver(self) -> QmpDriver:
        """A driver on the machines' monitors."""
        footprints = FootprintReader(now_s=self.clock.now_s)
        self._stack.callback(footprints.close)
        sockets = [str(machine.files.qmp) for machine in self._machines.values()]
        return QmpDriver(sockets, clock=self.clock, footprint_of=footprints.read)

    def set_hot(self, guest: str, hot_bytes: int) -> None:
        """Order a hot set; a machine that has just died is found by its health, not here."""
        try:
            self._machines[guest].send(f"hot {hot_bytes}")
        except MachineError:
            return

    def order(self, guest: str, what: str, value: int | str) -> None:
        """Order anything that its workload understands."""
        self._machines[guest].send(f"{what} {value}")

    def latest(self, guest: str) -> WorkloadSample | None:
        """The newest sample, taken or not."""
        return self._machines[guest].latest

    def next_sample(self, guest: str) -> WorkloadSample | None:
        """The oldest sample nobody has taken yet."""
        return self._machines[guest].take_sample()

    def trouble(self, guest: str) -> str | None:
        """Why the guest's figures are void."""
        health = self._machines[guest].health
        return None if health.is_well else f"{health.state.value}: {health.words}"

    def held_bytes(self, guest: str) -> int | None:
        """What the host holds for the VM, by its memory cgroup."""
        return self._machines[guest].cgroup_usage_bytes()

    def cpu_s(self) -> float | None:
        """CPU time of all QEMU processes."""
        used = [machine.cpu_s() for machine in self._machines.values()]
        known = [seconds for seconds in used if seconds is not None]
        return sum(known) if len(known) == len(used) else None

    def waited_s(self) -> float | None:
        """Time all QEMU processes were ready to run and had no processor."""
        waited = [machine.waited_s() for machine in self._machines.values()]
        known = [seconds for seconds in waited if seconds is not None]
        return sum(known) if len(known) == len(waited) else None

    async def _boot(self) -> None:
        hierarchy = find_hierarchy()
        if not isinstance(hierarchy, str):  # a string says why there is none
            clean_stale(hierarchy)
        cache = cache_directory()
        self._on_progress("preparing the guest image")
        image = await asyncio.to_thread(build_image, cache, self._on_progress)
        if self._variant is not None:
            image = await asyncio.to_thread(self._variant, image, cache, self._on_progress)
        self._kernel = image.kernel_version
        self._on_progress("choosing the accelerator")
        self._accelerator = await probe_accelerator(image, cache_dir=cache)
        # Not the cache: a socket's path may have 107 bytes, and a checkout may lie deep.
        directory = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix=PREFIX, dir=_roomy_directory())
        )
        own_directory(Path(directory))
        name = self._accelerator.name.upper()
        self._on_progress(f"booting {len(self._schedule.guests)} guests ({name})")
        specs = self._schedule.machine_specs(
            self._accelerator.name, reports_free_pages=self._reports_free_pages
        )
        for plain in specs:
            has_port = self._variant is not None
            spec = replace(plain, has_application_port=has_port, huge_pages=self._huge_pages)
            machine = Machine.start(spec, image, Path(directory))
            self._machines[spec.name] = await self._stack.enter_async_context(machine)
        deadline_s = max(BOOT_DEADLINE_S, BOOT_DEADLINE_A_GUEST_S * len(specs))
        async with asyncio.TaskGroup() as boots:
            for machine in self._machines.values():
                boots.create_task(machine.wait_booted(deadline_s))


def _roomy_directory() -> str:
    """Swap files want a disk; /tmp may be memory, and would then hide what swapping costs."""
    for directory in ("/var/tmp", tempfile.gettempdir()):  # noqa: S108 # a private one is made in it
        if os.access(directory, os.W_OK):
            return directory
    return tempfile.gettempdir()
