"""All guests of a world as fake QEMUs in a directory, coming and going as the guests do."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.sim.qemu.monitor import Monitor
from aerostat.sim.world import World

_EVENTS = {
    LifecycleKind.PAUSED: "STOP",
    LifecycleKind.RESUMED: "RESUME",
    LifecycleKind.RESET: "RESET",
    LifecycleKind.SHUTDOWN_ASKED: "POWERDOWN",
    LifecycleKind.SHUTDOWN: "SHUTDOWN",
    LifecycleKind.CRASHED: "GUEST_PANICKED",
}


class Machines:
    """Monitors for a world's guests, for use in an ``async with`` block.

    Everything lives on the running loop, so that on virtual time a driver's sockets, deadlines and
    retries are virtual, too. The world has to be run by whoever made it.

    Args:
        world: the guests.
        directory: for the sockets, ``NAME.qmp``; its path must be short enough for them.
    """

    def __init__(self, world: World, directory: Path) -> None:
        self._world = world
        self._directory = directory
        self._monitors: dict[GuestId, Monitor] = {}
        self._changes: asyncio.Queue[LifecycleChanged] = asyncio.Queue()
        self._following: asyncio.Task[None] | None = None

    @property
    def pattern(self) -> str:
        """The glob by which a driver finds them."""
        return str(self._directory / "*.qmp")

    async def __aenter__(self) -> Self:
        for guest in self._world.guests:
            await self._add(guest)
        self._stop_listening = self._world.listen(self._hear)
        self._stop_hearing_jobs = self._world.listen_to_jobs(self._hear_job)
        self._following = asyncio.create_task(self._follow(), name="fake-qemus")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_listening()
        self._stop_hearing_jobs()
        assert self._following is not None
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        for monitor in self._monitors.values():
            await monitor.close()

    def hang_up(self, guest: GuestId) -> None:
        """Break the connection of whoever is on this guest's monitor; the VM lives on."""
        self._monitors[guest].hang_up()

    def _hear(self, event: Event) -> None:
        if isinstance(event, BalloonMoved):
            if (monitor := self._monitors.get(event.guest)) is not None:
                monitor.tell("BALLOON_CHANGE", {"actual": event.actual_bytes})
        elif isinstance(event, LifecycleChanged):
            self._changes.put_nowait(event)

    def _hear_job(self, guest: GuestId) -> None:
        if (monitor := self._monitors.get(guest)) is not None:
            status = "running" if self._world.guests[guest].is_backing_up else "concluded"
            monitor.tell("JOB_STATUS_CHANGE", {"id": "backup0", "status": status})

    async def _follow(self) -> None:
        """Guests come and go, and their monitors with them."""
        while True:
            change = await self._changes.get()
            if change.kind is LifecycleKind.APPEARED:
                await self._add(change.guest)
            elif change.kind is LifecycleKind.DISAPPEARED:
                await self._monitors.pop(change.guest).close()
            elif change.guest in self._monitors and change.kind in _EVENTS:
                self._monitors[change.guest].tell(_EVENTS[change.kind])

    async def _add(self, guest: GuestId) -> None:
        path = self._directory / f"{guest}.qmp"
        monitor = Monitor(self._world, self._world.guests[guest], path)
        await monitor.open()
        self._monitors[guest] = monitor
