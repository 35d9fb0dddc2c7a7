"""Plays what happens: the timeline of a scenario on its world."""

import asyncio

from aerostat.engine.admission import room_bytes
from aerostat.engine.params import EngineParams, GuardRule
from aerostat.model.events import MemoryReserved
from aerostat.model.guest import GuestId
from aerostat.sim.constants import HostPhysics
from aerostat.sim.scenario.daemon import Daemon
from aerostat.sim.scenario.happening import Deed, Happening
from aerostat.sim.scenario.recording import GuestInstant, Instant, Recording
from aerostat.sim.scenario.tables import GuestTable, Scenario
from aerostat.sim.scenario.values import matching
from aerostat.sim.virtual_time import SimClock
from aerostat.sim.world import GuestSpec, World

_RAMP_STEP_S = 0.25
_ASK_EVERY_S = 0.5
_PROMISE_S = 60.0


class Stage:
    """A scenario's world, its daemon, and what is written down."""

    def __init__(self, scenario: Scenario, params: EngineParams) -> None:
        self._scenario = scenario
        is_on = GuardRule.LEDGER not in params.rules_off
        self._keeps_a_ledger = params.is_guarded and is_on
        self._gate = asyncio.Lock()  # a toolstack starts one VM after the other
        self.world = World(host=_host(scenario), seed=scenario.seed, step_s=scenario.step)
        self.world.host.shared_bytes = float(scenario.host.shared)
        self._clock = SimClock(asyncio.get_running_loop())
        self.recording = Recording(
            duration_s=scenario.duration,
            names=scenario.names,
            max_bytes={name: guest.ram for guest in scenario.guest for name in guest.names()},
        )
        self.daemon = Daemon(self.world, self._clock, params, self.recording)
        for guest in scenario.guest:
            if guest.appears is None:
                self._add(guest)

    async def happen(self, happening: Happening, tasks: asyncio.TaskGroup) -> None:
        """Let one thing happen now."""
        if happening.guest is not None:
            present = tuple(guest.name for guest in self.world.guests.values())
            for name in matching(happening.guest, present):
                self._to_guest(name, happening)
        if happening.others is not None or happening.shared is not None:
            tasks.create_task(self._move_the_host(happening))
        if happening.wall_jump is not None:
            self.world.jump_wall(happening.wall_jump)
            self._clock.jump_wall(happening.wall_jump)
        if happening.daemon is not None:
            await self.daemon.do(happening.daemon, tasks)

    async def appear(self, guest: GuestTable, tasks: asyncio.TaskGroup) -> None:
        """A guest comes; one that asks waits for room, and is refused when there is none in time.

        Without a ledger the gate is the one that failed in the field: is so much available now?
        """
        if guest.asks is None:
            self._add(guest)
        elif not self._keeps_a_ledger:
            if self.world.host.memory().available_bytes >= guest.ram:
                self._add(guest)
            else:
                self._refuse(guest)
        else:
            tasks.create_task(self._ask(guest, guest.asks))

    def look(self) -> None:
        """Write down how everybody is."""
        host = self.world.host
        memory = host.memory()
        self.recording.instants.append(
            Instant(
                at_s=self.world.now_s,
                guests={g.name: self._instant(g.name) for g in self.world.guests.values()},
                available_bytes=memory.available_bytes,
                host_swap_in_bytes=memory.swap_in_bytes or 0,
                over_bytes=host.over_bytes,
                host_swap_out_bytes=memory.swap_out_bytes or 0,
            )
        )
        for guest in self.world.guests.values():
            self.recording.seconds += guest.take_seconds()

    def _instant(self, name: str) -> GuestInstant:
        guest = self.world.guest(name)
        return GuestInstant(
            target_bytes=guest.target_bytes,
            actual_bytes=guest.actual_bytes,
            held_bytes=int(guest.held_bytes),
            oom_kills=guest.state.oom_kills,
            swap_in_bytes=int(guest.state.swap_in_bytes),
            swap_out_bytes=int(guest.state.swap_out_bytes),
            stalled_s=guest.state.pressure_full_s,
        )

    def _add(self, guest: GuestTable) -> None:
        for name in guest.names():
            added = self.world.add(GuestSpec(name=name, build=guest.build(), load=guest.load()))
            guest.fault.apply(added.faults)
            if guest.target is not None:
                added.start_ballooned(guest.target)

    async def _ask(self, guest: GuestTable, patience_s: float) -> None:
        """Have the memory promised first, and come once it is there; who comes next waits."""
        async with self._gate:
            await self._wait_for_room(guest, patience_s)

    async def _wait_for_room(self, guest: GuestTable, patience_s: float) -> None:
        promise = MemoryReserved(guest=GuestId(guest.name), size_bytes=guest.ram, for_s=_PROMISE_S)
        self.daemon.announce(promise)
        until_s = self.world.now_s + patience_s
        while self.world.now_s < until_s:
            await asyncio.sleep(_ASK_EVERY_S)
            if self._has_room():
                self._add(guest)
                return
        self.daemon.announce(MemoryReserved(guest=promise.guest, size_bytes=0, for_s=0.0))
        self._refuse(guest)

    def _has_room(self) -> bool:
        room = room_bytes(self.recording.rounds[-1].trace.host)
        return room is not None and room >= 0

    def _refuse(self, guest: GuestTable) -> None:
        self.recording.refused[guest.name] = self.world.now_s

    def _to_guest(self, name: str, happening: Happening) -> None:
        guest = self.world.guest(name)
        wanted = {
            "hot_bytes": happening.hot,
            "heap_bytes": happening.heap,
            "file_bytes": happening.files,
            "identical_bytes": happening.identical,
            "requests_per_s": None if happening.rate is None else float(happening.rate),
        }
        changed = {key: value for key, value in wanted.items() if value is not None}
        if changed:
            guest.change_load(**changed)
        if happening.target is not None:
            guest.set_target(happening.target)
        if happening.fault is not None:
            happening.fault.apply(guest.faults)
        if happening.do is not None:
            self._do(name, happening.do)

    def _do(self, name: str, deed: Deed) -> None:
        match deed:
            case Deed.PAUSE:
                self.world.pause(name)
            case Deed.RESUME:
                self.world.resume(name)
            case Deed.RESET:
                self.world.reset(name)
            case Deed.MIGRATE:
                self.world.migrate(name)
            case Deed.BACK_UP | Deed.BACKED_UP:
                self.world.back_up(name, is_running=deed is Deed.BACK_UP)
            case Deed.POWER_DOWN:
                self.world.power_down(name)
            case Deed.REMOVE:
                self.world.remove(name)

    async def _move_the_host(self, happening: Happening) -> None:
        """Move what the host's own programs hold, and what merging saves, in a straight line."""
        host = self.world.host
        began_others, began_shared = host.other_bytes, host.shared_bytes
        others = began_others if happening.others is None else float(happening.others)
        shared = began_shared if happening.shared is None else float(happening.shared)
        steps = max(1, round((happening.over or 0.0) / _RAMP_STEP_S))
        for number in range(1, steps + 1):
            if happening.over is not None:
                await asyncio.sleep(_RAMP_STEP_S)
            ratio = number / steps
            host.other_bytes = began_others + ratio * (others - began_others)
            host.shared_bytes = began_shared + ratio * (shared - began_shared)


def _host(scenario: Scenario) -> HostPhysics:
    table = scenario.host
    return HostPhysics(
        total_bytes=table.ram,
        other_bytes=table.others,
        hypervisor_bytes=table.overhead,
        swap_bytes=table.swap,
        page_in_s=table.page_in,
        swap_sticks=table.swap_sticks,
        swap_out_bytes_per_s=table.swap_out_rate,
        compressed_ratio=table.compressed,
        compressed_pool_bytes_max=table.pool,
        merge_scan_bytes_per_s=table.scan_rate,
        kills_when_full=table.kills,
    )
