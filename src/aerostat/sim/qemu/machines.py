"""All guests of a world as fake QEMUs in a directory."""

from pathlib import Path
from types import TracebackType
from typing import Self

from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.machines import MachinesOf
from aerostat.sim.qemu.monitor import Monitor

_EVENTS = {
    LifecycleKind.PAUSED: "STOP",
    LifecycleKind.RESUMED: "RESUME",
    LifecycleKind.RESET: "RESET",
    LifecycleKind.SHUTDOWN_ASKED: "POWERDOWN",
    LifecycleKind.SHUTDOWN: "SHUTDOWN",
    LifecycleKind.CRASHED: "GUEST_PANICKED",
}


class Machines(MachinesOf[Monitor]):
    """Monitors for a world's guests, ``NAME.qmp``."""

    suffix = "qmp"

    def new_peer(self, guest: SimulatedGuest, path: Path) -> Monitor:
        """A monitor on a socket."""
        return Monitor(self.world, guest, path)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._stop_hearing_jobs = self.world.listen_to_jobs(self._hear_job)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_hearing_jobs()
        await super().__aexit__(kind, error, trace)

    def told(self, event: Event) -> None:
        """QEMU tells of moves and of most of a VM's life."""
        monitor = self.peers.get(event.guest)
        if monitor is None:
            return
        if isinstance(event, BalloonMoved):
            monitor.tell("BALLOON_CHANGE", {"actual": event.actual_bytes})
        elif isinstance(event, LifecycleChanged) and event.kind in _EVENTS:
            monitor.tell(_EVENTS[event.kind])

    def _hear_job(self, guest: GuestId) -> None:
        if (monitor := self.peers.get(guest)) is not None:
            status = "running" if self.world.guests[guest].is_backing_up else "concluded"
            monitor.tell("JOB_STATUS_CHANGE", {"id": "backup0", "status": status})
