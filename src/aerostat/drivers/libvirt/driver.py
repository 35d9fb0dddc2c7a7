"""The libvirt driver: all running domains of one connection.

A domain that hangs costs its own operations their deadline, and nobody else anything.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aerostat.drivers.bounds import objection_to_target
from aerostat.drivers.libvirt.binding import Binding
from aerostat.drivers.libvirt.disks import DiskReads
from aerostat.drivers.libvirt.domain import Domain
from aerostat.drivers.libvirt.errors import (
    CallRefusedError,
    ConnectionLostError,
    DomainGoneError,
    LibvirtCallError,
    NoLaneError,
    NoReplyError,
)
from aerostat.drivers.libvirt.lanes import Lanes
from aerostat.drivers.libvirt.reading import Reading
from aerostat.drivers.libvirt.roll import PidOf, Roll
from aerostat.drivers.libvirt.settings import LibvirtSettings
from aerostat.drivers.libvirt.upkeep import Upkeep
from aerostat.model.figures import VmFootprint
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.ports.clock import Clock
from aerostat.ports.driver import EventSink
from aerostat.ports.errors import (
    AerostatError,
    DriverRefusedError,
    DriverUnavailableError,
    GuestGoneError,
    OutcomeUnknownError,
)

_SET = "setting the target"
_AGAIN_S = 0.05


class LibvirtUnreachableError(AerostatError):
    """There is no libvirtd at this address, or it does not let us in."""

    def __init__(self, uri: str, detail: str) -> None:
        super().__init__(
            f"libvirt at {uri}: {detail}; is it running (systemctl status libvirtd virtqemud), "
            "and may this user use it?"
        )


class LibvirtDriver:
    """The port ``HypervisorDriver`` on libvirt. A VM's id is its UUID."""

    def __init__(
        self,
        uri: str,
        *,
        clock: Clock,
        settings: LibvirtSettings | None = None,
        footprint_of: Callable[[int], VmFootprint | None] | None = None,
        pid_of: PidOf | None = None,
    ) -> None:
        self._uri = uri
        self._clock = clock
        self._settings = settings if settings is not None else LibvirtSettings()
        self._footprint_of = footprint_of
        self._binding = Binding.load()
        self._roll = Roll(pid_of=pid_of)
        self._lanes = [
            Lanes(self._binding.connector(uri), self._binding.disconnect, name=name, bound=bound)
            for name, bound in (
                ("libvirt-events", 1),
                ("libvirt-read", self._settings.reading_lanes),
                ("libvirt-upkeep", self._settings.upkeep_lanes),
                ("libvirt-call", self._settings.command_lanes),
                ("libvirt-disks", self._settings.disk_lanes),
            )
        ]
        self._events, reading, upkeep, self._commands, disks = self._lanes
        self._disks = DiskReads(self._binding, disks)
        self._reading = Reading(
            self._binding, reading, self._roll, settings=self._settings, clock=clock
        )
        self._upkeep = Upkeep(
            self._binding, upkeep, settings=self._settings, clock=clock, tell=self._roll.tell
        )
        self._followed: Any = None  # the connection whose events we get
        self._stirred = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._is_closed = False

    async def open(self, sink: EventSink) -> None:
        """Start following domains; returns when each has been described, or a deadline is over.

        Raises:
            LibvirtUnreachableError: there is no such libvirt; later losses are waited out.
        """
        self._roll.tell_to(sink)
        try:
            await self._follow(deadline_s=self._settings.connect_deadline_s)
            await self._reading.refresh()
        except LibvirtCallError as error:
            raise LibvirtUnreachableError(self._uri, str(error)) from error
        if self._reading.trouble is not None:
            raise LibvirtUnreachableError(self._uri, self._reading.trouble)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.command_deadline_s):
                await self._look_after_all()
        # The one task that outlives this call; `close` awaits it, `list_guests` tells its failure.
        self._keeper = asyncio.create_task(self._keep(), name="libvirt-driver")

    async def list_guests(self) -> tuple[GuestId, ...]:
        """The domains that run, ordered by id; while libvirtd is away, those that ran."""
        if self._keeper is not None and self._keeper.done():
            self._keeper.result()
        return tuple(sorted(self._roll.domains))

    async def read_guest(self, guest: GuestId) -> GuestSnapshot:
        """Read one domain; see the port. Those asked for together are read together."""
        domain = await self._refreshed(guest)
        trouble = self._trouble(domain)
        if trouble is not None:
            return self._unread(domain, trouble)
        description = domain.description
        assert description is not None
        heard = domain.figures(now_s=self._clock.now_s(), wall_s=self._clock.wall_s())
        troubles = (*((description.trouble,) if description.trouble else ()), *heard.troubles)
        return GuestSnapshot(
            guest=guest,
            name=domain.name,
            run_state=domain.run_state,
            max_bytes=domain.max_bytes,
            actual_bytes=domain.actual_bytes,
            has_balloon=description.has_balloon,
            deflates_on_oom=description.deflates_on_oom,
            statistics=heard.statistics,
            pressure=heard.pressure,
            footprint=self._footprint(domain),
            disk_read_bytes=domain.disk_read_bytes,
            is_backing_up=domain.is_backing_up,
            tags=description.tags or None,
            declared=description.declared,
            trouble="; ".join(troubles) or None,
        )

    def unchanged(self, guest: GuestId) -> GuestSnapshot | None:  # noqa: ARG002 # the port's
        """No domain is spared a reading: those asked for together are read together."""
        return None

    def measured(self, known: GuestSnapshot) -> GuestSnapshot:
        """The same with what the host measures of it by now; see the port."""
        domain = self._roll.domains.get(known.guest)
        footprint = None if domain is None else self._footprint(domain)
        return known if footprint is None else replace(known, footprint=footprint)

    async def set_target(self, guest: GuestId, *, target_bytes: int) -> None:
        """Ask a domain for a target; see the port.

        Raises:
            DriverRefusedError: also, with nothing sent, for a target that would drain the guest
                or is above its max, and while a job of libvirt's runs on it.
        """
        domain = self._domain(guest, operation=_SET)
        trouble = self._trouble(domain)
        if trouble is None and domain.is_commanded:
            trouble = "its last target is still under way"
        if trouble is None and domain.is_in_transit:
            raise DriverRefusedError(guest, _SET, "it is being migrated or saved: hands off")
        if trouble is not None or domain.max_bytes is None:
            raise DriverUnavailableError(guest, _SET, trouble or "its max is not known")
        objection = objection_to_target(target_bytes, max_bytes=domain.max_bytes)
        if objection is not None:
            raise DriverRefusedError(guest, _SET, objection)
        try:
            await self._send(domain, target_bytes)
        except NoLaneError as error:
            raise DriverUnavailableError(guest, _SET, str(error)) from error
        except (NoReplyError, ConnectionLostError) as error:
            raise OutcomeUnknownError(guest, _SET, str(error)) from error
        except DomainGoneError as error:
            self._stirred.set()
            raise GuestGoneError(guest, _SET, str(error)) from error
        except CallRefusedError as error:
            raise DriverRefusedError(guest, _SET, str(error)) from error

    async def close(self) -> None:
        """Let go, leaving targets as they are; a slower reporting period is put back."""
        self._is_closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._keeper
        for domain in self._roll.domains.values():
            domain.listen_to(None)
        with contextlib.suppress(TimeoutError, LibvirtCallError):
            async with asyncio.timeout(self._settings.command_deadline_s):
                for domain in tuple(self._roll.domains.values()):
                    await self._upkeep.put_back(domain)
        self._reading.close()
        for lanes in self._lanes:
            lanes.close()

    async def _refreshed(self, guest: GuestId) -> Domain:
        """The domain as it is now, or with the trouble that it is in.

        Where calls overlap one skips whom another is just asking, so that is waited for.
        """
        since_s = self._clock.now_s()
        while True:
            self._domain(guest, operation="reading")
            await self._reading.refresh()
            self._disks.refresh(self._roll.domains.values())
            domain = self._domain(guest, operation="reading")
            is_fresh = domain.told_s is not None and domain.told_s >= since_s
            if is_fresh or domain.is_in_transit or self._trouble(domain) is not None:
                return domain
            await asyncio.sleep(_AGAIN_S)

    async def _send(self, domain: Domain, target_bytes: int) -> None:
        uuid, number = str(domain.guest), domain.number
        outcome = self._commands.start(
            lambda c: self._binding.set_target(c, uuid, number, target_bytes)
        )
        domain.is_commanded = True
        outcome.add_done_callback(lambda _: setattr(domain, "is_commanded", False))
        try:
            async with asyncio.timeout(self._settings.command_deadline_s):
                await asyncio.shield(outcome)
        except TimeoutError as error:
            deadline_s = self._settings.command_deadline_s
            raise NoReplyError(f"no answer from libvirt within {deadline_s:g} s") from error

    async def _keep(self) -> None:
        """Look round once in a while, and at once when something has happened."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.upkeep_s):
                    await self._stirred.wait()
            self._stirred.clear()
            with contextlib.suppress(LibvirtCallError):  # it shows as the trouble of every domain
                await self._follow(deadline_s=self._settings.command_deadline_s)
            await self._reading.refresh()
            await self._look_after_all()

    async def _look_after_all(self) -> None:
        for domain in tuple(self._roll.domains.values()):
            if self._reading.trouble is not None:
                return
            await self._upkeep.look_after(domain)

    async def _follow(self, *, deadline_s: float) -> None:
        """See to it that events come, on a connection that is alive."""
        loop = asyncio.get_running_loop()
        followed = self._followed

        def tap(name: str, uuid: str, words: tuple[Any, ...]) -> None:
            with contextlib.suppress(RuntimeError):  # the event loop has ended
                loop.call_soon_threadsafe(self._on_event, name, uuid, words)

        def follow(connection: Any) -> Any:
            if connection is not followed:
                self._binding.follow(connection, tap)
            return connection

        connection = await self._events.call(follow, deadline_s=deadline_s)
        if connection is not followed:
            self._followed = connection
            self._roll.describe_anew()

    def _on_event(self, name: str, uuid: str, words: tuple[Any, ...]) -> None:
        if not self._is_closed and self._roll.on_event(name, uuid, words):
            self._stirred.set()

    def _domain(self, guest: GuestId, *, operation: str) -> Domain:
        domain = self._roll.domains.get(guest)
        if domain is None:
            raise GuestGoneError(guest, operation, "no domain of that UUID runs")
        return domain

    def _trouble(self, domain: Domain) -> str | None:
        """Why this domain cannot be asked anything now."""
        if self._reading.trouble is not None:
            return f"libvirt: {self._reading.trouble}"
        if domain.description is None:
            return domain.described_trouble or "libvirt has not described it yet"
        silent_s = domain.silence_s(self._clock.now_s())
        if silent_s <= self._settings.silent_s or domain.is_in_transit:
            return None
        if domain.waiting_s is not None:
            return f"its QEMU has not answered libvirt for {domain.waiting_s:.0f} s"
        return f"libvirt has been busy with it for {silent_s:.0f} s"

    def _unread(self, domain: Domain, trouble: str) -> GuestSnapshot:
        description = domain.description
        return GuestSnapshot(
            guest=domain.guest,
            name=domain.name,
            run_state=RunState.UNREACHABLE,
            max_bytes=domain.max_bytes,
            has_balloon=None if description is None else description.has_balloon,
            footprint=self._footprint(domain),
            tags=None if description is None else description.tags or None,
            declared=None if description is None else description.declared,
            trouble=trouble,
        )

    def _footprint(self, domain: Domain) -> VmFootprint | None:
        if domain.pid is None or self._footprint_of is None:
            return None
        return self._footprint_of(domain.pid)
