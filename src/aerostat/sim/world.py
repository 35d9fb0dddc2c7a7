"""A host with its guests, moved through time in small steps; the same from the same seed."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aerostat.model.events import BalloonMoved, Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId, RunState
from aerostat.sim.constants import HostPhysics
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.guest_state import Load
from aerostat.sim.host import SimulatedHost
from aerostat.sim.physics import NO_STALL, GuestBuild
from aerostat.sim.reclaim import HostStall
from aerostat.sim.virtual_time import WALL_START_S
from aerostat.units import MIB

_ANNOUNCE_EVERY_S = 1.0  # QEMU announces a balloon's moves at most so often


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSpec:
    """A guest to be: its name, its build, and what it does at first.

    ``statistics_delay_s`` is when in each period its statistics are taken; drawn if not said.
    """

    name: str
    build: GuestBuild = field(default_factory=lambda: GuestBuild(max_bytes=512 * MIB))
    load: Load = field(default_factory=Load)
    statistics_delay_s: float | None = None


@dataclass(slots=True)
class _Announced:
    actual_bytes: int
    at_s: float


class World:
    """Simulated guests on one simulated host.

    Move it with ``advance``, or let ``run`` move it along an asyncio loop's time.
    """

    def __init__(
        self,
        guests: Sequence[GuestSpec] = (),
        *,
        host: HostPhysics | None = None,
        seed: int = 0,
        step_s: float = 0.05,
        wall_start_s: float = WALL_START_S,
    ) -> None:
        assert step_s > 0
        self.now_s = 0.0
        self.step_s = step_s
        self.host = SimulatedHost(HostPhysics() if host is None else host)
        self._seed = seed
        self._wall_start_s = wall_start_s
        self._guests: dict[GuestId, SimulatedGuest] = {}
        self._announced: dict[GuestId, _Announced] = {}
        self._listeners: list[Callable[[Event], None]] = []
        self._job_listeners: list[Callable[[GuestId], None]] = []
        for spec in guests:
            self.add(spec)

    @property
    def wall_s(self) -> float:
        """The host's wall clock."""
        return self._wall_start_s + self.now_s

    @property
    def guests(self) -> Mapping[GuestId, SimulatedGuest]:
        """The guests there are, ordered by id."""
        return self._guests

    def guest(self, name: str) -> SimulatedGuest:
        """The guest of that name.

        Raises:
            KeyError: there is none.
        """
        return self._guests[GuestId(name)]

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Tell ``listener`` of events from now on; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def listen_to_jobs(self, listener: Callable[[GuestId], None]) -> Callable[[], None]:
        """Tell ``listener`` whose backups begin or end; returns what ends that."""
        self._job_listeners.append(listener)
        return lambda: self._job_listeners.remove(listener)

    def add(self, spec: GuestSpec) -> SimulatedGuest:
        """A guest boots."""
        assert GuestId(spec.name) not in self._guests, f"there is a guest {spec.name} already"
        # Its own stream of randomness, so that one guest more changes nothing for the others.
        draw = random.Random(f"{self._seed}/{spec.name}")
        period_s = spec.build.physics.statistics_period_s
        delay_s = spec.statistics_delay_s
        if delay_s is None:
            delay_s = draw.uniform(0, period_s)
        guest = SimulatedGuest(spec.name, spec.build, spec.load, statistics_delay_s=delay_s)
        self._guests = dict(sorted({**self._guests, guest.guest: guest}.items()))
        self._announced[guest.guest] = _Announced(guest.actual_bytes, self.now_s)
        self.host.settle(tuple(self._guests.values()), 0.0)
        self._tell(guest, LifecycleKind.APPEARED)
        return guest

    def remove(self, name: str) -> None:
        """A guest is gone, without a word."""
        guest = self._guests.pop(GuestId(name))
        self.host.settle(tuple(self._guests.values()), 0.0)
        self._tell(guest, LifecycleKind.DISAPPEARED)

    def pause(self, name: str) -> None:
        """Stop a guest's CPU; its hypervisor goes on answering."""
        self._become(name, RunState.PAUSED, LifecycleKind.PAUSED)

    def resume(self, name: str) -> None:
        """Let a paused guest go on."""
        self._become(name, RunState.RUNNING, LifecycleKind.RESUMED)

    def migrate(self, name: str) -> None:
        """Begin to migrate or save a guest: it goes on, and nobody is to move its memory."""
        self.guest(name).run_state = RunState.MIGRATING

    def back_up(self, name: str, *, is_running: bool = True) -> None:
        """A copy of a guest's disks begins, or ends."""
        self.guest(name).is_backing_up = is_running
        for listener in tuple(self._job_listeners):
            listener(GuestId(name))

    def power_down(self, name: str) -> None:
        """Press a guest's power button: it ends when its system has shut down."""
        guest = self.guest(name)
        guest.power_down()
        self._tell(guest, LifecycleKind.SHUTDOWN_ASKED)

    def shut_down(self, name: str) -> None:
        """A guest ends; its hypervisor goes on answering until it is removed."""
        self._become(name, RunState.SHUTDOWN, LifecycleKind.SHUTDOWN)

    def crash(self, name: str) -> None:
        """A guest's kernel panics."""
        self._become(name, RunState.CRASHED, LifecycleKind.CRASHED)

    def reset(self, name: str) -> None:
        """Reset a guest: a fresh kernel boots, under the target that stood."""
        guest = self.guest(name)
        guest.reset()
        guest.run_state = RunState.RUNNING
        self._tell(guest, LifecycleKind.RESET)

    def jump_wall(self, jump_s: float) -> None:
        """Set the host's wall clock forward or back."""
        self._wall_start_s += jump_s

    def advance(self, duration_s: float) -> None:
        """Let everybody live for a while."""
        left_s = duration_s
        while left_s > 1e-9:
            dt_s = min(self.step_s, left_s)
            left_s -= dt_s
            self._step(dt_s)

    async def run(self) -> None:
        """Follow the running loop's time until cancelled; starts now, wherever that clock is."""
        loop = asyncio.get_running_loop()
        began_s = loop.time() - self.now_s
        due_s = self.now_s
        while True:
            due_s += self.step_s
            await asyncio.sleep(max(0.0, began_s + due_s - loop.time()))
            self.advance(loop.time() - began_s - self.now_s)

    def _step(self, dt_s: float) -> None:
        self.now_s += dt_s
        guests = tuple(self._guests.values())
        wall_s, touch_s = self.wall_s, self.host.stall_per_touch_s
        for guest in guests:
            own_s = guest.host_side.stall_per_touch_s
            stall = NO_STALL if touch_s == own_s == 0.0 else HostStall(touch_s + own_s, own_s)
            guest.advance(dt_s, now_s=self.now_s, wall_s=wall_s, host_stall=stall)
        self.host.settle(guests, dt_s)
        if self.host.physics.kills_when_full and self.host.over_bytes > 0:
            guests = self._kill_biggest()
        for guest in guests:
            self._announce(guest)
            if guest.has_shut_down and guest.run_state is RunState.RUNNING:
                self.shut_down(guest.name)

    def _kill_biggest(self) -> tuple[SimulatedGuest, ...]:
        """The host's kernel kills what holds most: a whole VM. Returns who is left."""
        victim = max(self._guests.values(), key=lambda guest: (guest.held_bytes, guest.name))
        self.host.oom_kills += 1
        self.remove(victim.name)
        return tuple(self._guests.values())

    def _announce(self, guest: SimulatedGuest) -> None:
        last = self._announced[guest.guest]
        actual_bytes = guest.actual_bytes
        if actual_bytes != last.actual_bytes and self.now_s - last.at_s >= _ANNOUNCE_EVERY_S:
            last.actual_bytes, last.at_s = actual_bytes, self.now_s
            self._send(BalloonMoved(guest=guest.guest, actual_bytes=actual_bytes))

    def _become(self, name: str, run_state: RunState, kind: LifecycleKind) -> None:
        guest = self.guest(name)
        guest.run_state = run_state
        self._tell(guest, kind)

    def _tell(self, guest: SimulatedGuest, kind: LifecycleKind) -> None:
        self._send(LifecycleChanged(guest=guest.guest, kind=kind))

    def _send(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener(event)
