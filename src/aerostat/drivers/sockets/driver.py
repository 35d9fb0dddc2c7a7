"""A driver of VMs that have a socket each: all whose sockets match, each in a task of its own.

A VM that hangs costs its own operations their deadline, once, and nobody else anything.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from aerostat.drivers.bounds import objection_to_target
from aerostat.drivers.sockets.deadline import Deadline
from aerostat.drivers.sockets.discovery import SocketFinder
from aerostat.drivers.sockets.errors import (
    NoAnswerError,
    NotConnectedError,
    RefusedError,
    SessionError,
)
from aerostat.drivers.sockets.guest import ReachedGuest
from aerostat.drivers.sockets.roll import Roll
from aerostat.drivers.sockets.settings import SocketSettings
from aerostat.drivers.sockets.watch import Watch
from aerostat.model.figures import VmFootprint
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.limits import DeclaredLimits
from aerostat.ports.clock import Clock
from aerostat.ports.custody import Custody, CustodyOf, Lock
from aerostat.ports.driver import EventSink
from aerostat.ports.errors import (
    DriverRefusedError,
    DriverUnavailableError,
    GuestGoneError,
    OutcomeUnknownError,
)

FootprintOf = Callable[[int], VmFootprint | None]
"""Reads what a process holds of the host, by its id; at once."""

_SET = "setting the target"


class SocketDriver(ABC):
    """The port ``HypervisorDriver`` over sockets; a subclass knows what is spoken there.

    A VM that has not yet said who it is, and one that claims the id of another, are listed by the
    path of their socket.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        clock: Clock,
        settings: SocketSettings,
        footprint_of: FootprintOf | None = None,
        custody_of: CustodyOf | None = None,
        listening: Callable[[], Iterable[Path]] | None = None,
    ) -> None:
        self.clock = clock
        self.settings = settings
        self._finder = SocketFinder(patterns, listening=listening)
        self._footprint_of = footprint_of
        self._custody_of = custody_of
        self._reading = Deadline(settings.command_deadline_s)
        self._roll = Roll()
        self._supervisor: asyncio.Task[None] | None = None
        self._has_scanned = asyncio.Event()

    async def open(self, sink: EventSink) -> None:
        """Start following guests; returns when each has answered or its deadline is over."""
        self._roll.tell_to(sink)
        # The one task that outlives this call; `close` awaits it, `list_guests` tells its failure.
        self._supervisor = asyncio.create_task(self._supervise(), name=type(self).__name__)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.connect_deadline_s):
                await self._has_scanned.wait()
                for watch in tuple(self._roll.watches.values()):
                    await watch.settled.wait()

    async def list_guests(self) -> tuple[GuestId, ...]:
        """The VMs that are there now, ordered by id, answering or not."""
        if self._supervisor is not None and self._supervisor.done():
            self._supervisor.result()
        return tuple(sorted(self._roll.present()))

    async def read_guest(self, guest: GuestId) -> GuestSnapshot:
        """Read one VM, unless it can have nothing new to say; see the port."""
        watch = self._watch_of(guest, operation="reading")
        rivalry = self._roll.rivalry(watch)
        if rivalry is not None:
            return self._unread(guest, watch, RunState.UNKNOWN, rivalry)
        connected = watch.answering
        if connected is not None:
            asked_s = self.clock.now_s()
            if (known := watch.rest.known(asked_s)) is not None:  # come to rest since it was listed
                return known
            try:
                read = await self._read(guest, watch, connected)
            except (TimeoutError, NoAnswerError):
                watch.note_silence()
            except SessionError as error:
                return self._unread(guest, watch, RunState.UNREACHABLE, str(error))
            else:
                watch.rest.note(read, asked_s=asked_s, sample_gap_s=connected.sample_gap_s)
                return read
        return self._unread(guest, watch, RunState.UNREACHABLE, watch.trouble)

    def unchanged(self, guest: GuestId) -> GuestSnapshot | None:
        """What was read of a VM that is at rest; see the port."""
        watch = self._roll.find(guest)
        if watch is None or watch.answering is None or self._roll.rivalry(watch) is not None:
            return None
        return watch.rest.known(self.clock.now_s())

    def measured(self, known: GuestSnapshot) -> GuestSnapshot:
        """The same with what the host measures of it by now; see the port."""
        watch = self._roll.find(known.guest)
        identity = None if watch is None else watch.identity
        footprint = None if identity is None else self._footprint(identity.pid)
        return known if footprint is None else replace(known, footprint=footprint)

    async def set_target(self, guest: GuestId, *, target_bytes: int) -> None:
        """Ask a VM for a target; see the port.

        Raises:
            DriverRefusedError: also, with nothing sent, for a target that would drain the guest
                or is above its max.
        """
        watch = self._watch_of(guest, operation=_SET)
        try:
            async with asyncio.timeout(self.settings.command_deadline_s):
                await watch.in_use.acquire()
        except TimeoutError as error:
            raise DriverUnavailableError(guest, _SET, "another operation is stuck") from error
        try:
            await self._send_target(guest, watch, target_bytes)
        finally:
            watch.in_use.release()

    async def close(self) -> None:
        """Let go of every VM; targets stay, a reporting period of somebody else's is put back."""
        async with asyncio.TaskGroup() as group:
            for watch in tuple(self._roll.watches.values()):
                group.create_task(watch.release())
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await supervisor

    async def _supervise(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                found = self._finder.find()
                for path in found:
                    if path not in self._roll.watches:
                        self._roll.watches[path] = self._watch(path, found)
                        group.create_task(self._keep(self._roll.watches[path]))
                self._has_scanned.set()
                await asyncio.sleep(self.settings.rescan_s)

    @abstractmethod
    def new_watch(self, path: Path, label: str) -> Watch:
        """Watch one socket.

        Args:
            path: the socket.
            label: what to call a VM that has no name of its own.
        """

    def _watch(self, path: Path, found: Sequence[Path]) -> Watch:
        is_shared = any(other.stem == path.stem for other in found if other != path)
        return self.new_watch(path, str(path) if is_shared else path.stem)

    async def _keep(self, watch: Watch) -> None:
        try:
            await watch.keep()
        finally:
            del self._roll.watches[watch.path]

    def _watch_of(self, guest: GuestId, *, operation: str) -> Watch:
        watch = self._roll.find(guest)
        if watch is None:
            raise GuestGoneError(guest, operation, "no VM of that id is there")
        return watch

    async def _read(self, guest: GuestId, watch: Watch, connected: ReachedGuest) -> GuestSnapshot:
        """Read a VM that answers.

        Raises:
            TimeoutError, SessionError: it does not.
        """
        with self._reading.limit():
            async with watch.in_use:
                reading = await connected.read()
        custody = self._custody(connected.identity.pid)
        troubles = (*reading.troubles, *self._roll.rivals(watch))
        if custody.why_left_alone is not None:
            troubles = (*troubles, custody.why_left_alone)
        is_alive = reading.run_state in (RunState.RUNNING, RunState.PAUSED)
        is_in_transit = is_alive and custody.lock is Lock.TRANSIT
        return GuestSnapshot(
            guest=guest,
            name=connected.identity.name,
            run_state=RunState.MIGRATING if is_in_transit else reading.run_state,
            max_bytes=connected.max_bytes,
            actual_bytes=reading.actual_bytes,
            has_balloon=reading.has_balloon,
            deflates_on_oom=reading.deflates_on_oom,
            standing_target_bytes=reading.standing_target_bytes,
            reports_free_pages=reading.reports_free_pages,
            hinting=reading.hinting,
            statistics=reading.statistics,
            pressure=reading.pressure,
            footprint=self._footprint(connected.identity.pid),
            disk_read_bytes=reading.disk_read_bytes,
            is_backing_up=reading.is_backing_up or custody.lock is Lock.BACKUP,
            number=custody.number,
            tags=custody.tags or None,
            declared=None if custody.rival is None else DeclaredLimits(is_managed=False),
            trouble="; ".join(troubles) or None,
        )

    def _unread(
        self, guest: GuestId, watch: Watch, run_state: RunState, trouble: str
    ) -> GuestSnapshot:
        """A VM that could not be asked; what the host itself knows of it is there all the same."""
        identity, connected = watch.identity, watch.connected
        pid = identity.pid if identity is not None else None
        custody = self._custody(pid)
        return GuestSnapshot(
            guest=guest,
            name=identity.name if identity is not None else watch.label,
            run_state=run_state,
            max_bytes=connected.max_bytes if connected is not None else None,
            number=custody.number,
            tags=custody.tags or None,
            footprint=self._footprint(pid),
            trouble=trouble,
        )

    async def _send_target(self, guest: GuestId, watch: Watch, target_bytes: int) -> None:
        connected = watch.answering
        if connected is None:
            raise DriverUnavailableError(guest, _SET, watch.trouble)
        rivalry = self._roll.rivalry(watch)
        if rivalry is not None:
            raise DriverUnavailableError(guest, _SET, rivalry)
        left_alone = self._custody(connected.identity.pid).why_left_alone
        if left_alone is not None:
            raise DriverRefusedError(guest, _SET, left_alone)
        if connected.max_bytes is None:
            raise DriverUnavailableError(guest, _SET, "its max is not known")
        objection = objection_to_target(target_bytes, max_bytes=connected.max_bytes)
        if objection is not None:
            raise DriverRefusedError(guest, _SET, objection)
        watch.rest.stir(self.clock.now_s())
        try:
            await connected.set_target(target_bytes)
        except RefusedError as error:
            raise DriverRefusedError(guest, _SET, str(error)) from error
        except NotConnectedError as error:
            raise DriverUnavailableError(guest, _SET, str(error)) from error
        except SessionError as error:
            watch.note_silence()
            raise OutcomeUnknownError(guest, _SET, str(error)) from error

    def _custody(self, pid: int | None) -> Custody:
        """What its platform says of it."""
        known = None if pid is None or self._custody_of is None else self._custody_of(pid)
        return Custody() if known is None else known

    def _footprint(self, pid: int | None) -> VmFootprint | None:
        if pid is None or self._footprint_of is None:
            return None
        return self._footprint_of(pid)
