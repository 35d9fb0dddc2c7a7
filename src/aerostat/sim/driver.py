"""The port ``HypervisorDriver`` on a world of simulated guests, faults and all."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.ports.driver import EventSink
from aerostat.ports.errors import (
    DriverRefusedError,
    DriverUnavailableError,
    GuestGoneError,
    OutcomeUnknownError,
)
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.world import World

_ANSWER_S = 0.0005
"""How long a monitor takes to answer; measured on QEMU: 0.4 to 0.5 ms."""


class SimulatedDriver:
    """Reads and moves simulated guests as a driver would real ones.

    Args:
        world: the guests; whoever made it also runs it.
        deadline_s: what one operation may take, waiting for others on the same guest included.
    """

    def __init__(self, world: World, *, deadline_s: float = 1.0) -> None:
        self._world = world
        self._deadline_s = deadline_s
        self._locks: dict[GuestId, asyncio.Lock] = {}
        self._stop_listening: Callable[[], None] | None = None

    async def open(self, sink: EventSink) -> None:
        """Start following guests."""
        assert self._stop_listening is None, "open once"
        self._stop_listening = self._world.listen(sink)

    async def list_guests(self) -> tuple[GuestId, ...]:
        """The guests that are there now, ordered."""
        return tuple(self._world.guests)

    async def read_guest(self, guest: GuestId) -> GuestSnapshot:
        """Read one guest; one that does not answer is UNREACHABLE."""
        found = self._find(guest, "read")
        if found.faults.is_unavailable:
            return _unreachable(found, "its monitor cannot be reached")
        lock = self._lock(guest)
        if not found.faults.is_hung and not lock.locked():  # it answers long before any deadline
            async with lock:
                await self._answer(found)
                return self._snapshot(self._find(guest, "read"))
        try:
            async with asyncio.timeout(self._deadline_s), lock:
                await self._answer(found)
                return self._snapshot(self._find(guest, "read"))
        except TimeoutError:
            self._find(guest, "read")
            return _unreachable(found, f"no answer within {self._deadline_s:g} s")

    def unchanged(self, guest: GuestId) -> GuestSnapshot | None:  # noqa: ARG002 # the port's
        """Nothing is remembered of a guest: each round asks it."""
        return None

    def measured(self, known: GuestSnapshot) -> GuestSnapshot:
        """The same with what the host measures of it by now."""
        found = self._world.guests.get(known.guest)
        return known if found is None else replace(known, footprint=self._snapshot(found).footprint)

    async def set_target(self, guest: GuestId, *, target_bytes: int) -> None:
        """Ask for a target; a return means accepted, not done."""
        operation = "set_target"
        found = self._find(guest, operation)
        if found.faults.is_unavailable:
            raise DriverUnavailableError(guest, operation, "its monitor cannot be reached")
        was_sent = False
        try:
            async with asyncio.timeout(self._deadline_s), self._lock(guest):
                was_sent = True
                await self._carry_out(self._find(guest, operation), target_bytes)
        except TimeoutError as error:
            detail = f"no answer to {target_bytes} bytes within {self._deadline_s:g} s"
            kind = OutcomeUnknownError if was_sent else DriverUnavailableError
            raise kind(guest, operation, detail) from error

    async def close(self) -> None:
        """Let go of every guest, leaving targets as they are."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def _snapshot(self, found: SimulatedGuest) -> GuestSnapshot:
        return found.snapshot(
            wall_s=self._world.wall_s,
            hypervisor_bytes=self._world.host.physics.hypervisor_bytes,
        )

    async def _carry_out(self, found: SimulatedGuest, target_bytes: int) -> None:
        operation = "set_target"
        await self._answer(found)
        if self._world.guests.get(found.guest) is not found:
            raise GuestGoneError(found.guest, operation, "it is not there any more")
        if found.faults.refuses_targets or target_bytes <= 0:
            detail = f"the hypervisor refuses {target_bytes} bytes"
            raise DriverRefusedError(found.guest, operation, detail)
        found.set_target(target_bytes)
        if found.faults.loses_replies:
            await _for_ever()

    async def _answer(self, found: SimulatedGuest) -> None:
        if found.faults.is_hung:
            await _for_ever()
        await asyncio.sleep(_ANSWER_S)

    def _find(self, guest: GuestId, operation: str) -> SimulatedGuest:
        found = self._world.guests.get(guest)
        if found is None:
            raise GuestGoneError(guest, operation, "it is not there any more")
        return found

    def _lock(self, guest: GuestId) -> asyncio.Lock:
        return self._locks.setdefault(guest, asyncio.Lock())


async def _for_ever() -> None:
    """Wait for what never comes; the caller's deadline ends it."""
    await asyncio.get_running_loop().create_future()


def _unreachable(guest: SimulatedGuest, trouble: str) -> GuestSnapshot:
    return GuestSnapshot(
        guest=guest.guest, name=guest.name, run_state=RunState.UNREACHABLE, trouble=trouble
    )
