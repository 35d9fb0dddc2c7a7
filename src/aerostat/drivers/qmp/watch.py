"""Keeps in touch with the VM behind one socket: connects, follows, notices silence, returns."""

import asyncio
import contextlib
from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol

from aerostat.drivers.qmp.answers import AnswerViolationError
from aerostat.drivers.qmp.guest import ConnectedGuest, Identity
from aerostat.drivers.qmp.session import (
    Command,
    NoAnswerError,
    NotConnectedError,
    NotListeningError,
    QmpSession,
    SessionError,
)
from aerostat.drivers.qmp.settings import QmpSettings
from aerostat.ports.clock import Clock

_RETRY_S_MIN = 0.1
_PROBE = Command(name="query-status")


class Contact(Enum):
    """How far a watch has got."""

    ABSENT = auto()  # nobody listens: there is no VM
    WAITING = auto()  # QEMU's socket took the call; its monitor has not answered it yet
    FAILED = auto()  # something listens, and it did not work out
    CONNECTED = auto()


class WatchOwner(Protocol):
    """Who is told of a VM's coming and going, and of its events."""

    def on_appeared(self, watch: "GuestWatch") -> None:
        """A VM has said who it is."""

    def on_disappeared(self, watch: "GuestWatch", identity: Identity) -> None:
        """That VM is gone, or another has taken its place."""

    def on_event(self, watch: "GuestWatch", name: str, untrusted: Mapping[str, Any]) -> None:
        """QEMU said something by itself."""


class GuestWatch:
    """One socket and whoever is behind it."""

    def __init__(
        self, path: Path, *, label: str, settings: QmpSettings, clock: Clock, owner: WatchOwner
    ) -> None:
        self.path = path
        self.label = label
        self.contact = Contact.ABSENT
        self.identity: Identity | None = None  # of the VM last met here, until it is gone
        self.connected: ConnectedGuest | None = None
        self.settled = asyncio.Event()  # the first attempt has ended, one way or the other
        self.in_use = asyncio.Lock()  # operations on one guest come one after the other
        self._settings = settings
        self._clock = clock
        self._owner = owner
        self._since_s = clock.now_s()
        self._failure = ""
        self._is_silent = asyncio.Event()
        self._retry_s = _RETRY_S_MIN

    @property
    def is_there(self) -> bool:
        """Whether there is a VM, answering or not."""
        return self.contact is not Contact.ABSENT

    @property
    def answering(self) -> ConnectedGuest | None:
        """The VM, if it can be asked something now."""
        return None if self._is_silent.is_set() else self.connected

    @property
    def trouble(self) -> str:
        """Why it cannot be asked, in words."""
        waited_s = max(0.0, self._clock.now_s() - self._since_s)
        if self.contact is Contact.WAITING:
            return (
                f"its monitor took the connection {waited_s:.1f} s ago and sends no greeting: "
                "it is held by another client, or QEMU hangs"
            )
        if self._is_silent.is_set():
            return f"its monitor has not answered for {waited_s:.1f} s"
        return self._failure or "its monitor is being connected"

    def note_silence(self) -> None:
        """A command got no answer in time: ask nothing more until QEMU has caught up.

        Commands sent to a QEMU that hangs would be carried out, all of them, when it wakes.
        """
        if self.connected is not None and not self._is_silent.is_set():
            self._since_s = self._clock.now_s() - self._settings.command_deadline_s
            self._is_silent.set()

    async def keep(self) -> None:
        """Stay in touch; returns when the socket is gone from the file system."""
        while True:
            try:
                await self._meet()
                pause_s = _RETRY_S_MIN
            except NotListeningError as error:
                self._lose()
                if isinstance(error.__cause__, FileNotFoundError):
                    return
                pause_s = self._settings.rescan_s  # cheap: a dead socket refuses at once
            except (SessionError, AnswerViolationError) as error:
                self._enter(Contact.FAILED, failure=str(error))
                pause_s = self._retry_s
                self._retry_s = min(2 * self._retry_s, self._settings.retry_s_max)
            finally:
                self.settled.set()
            await asyncio.sleep(pause_s)

    async def release(self) -> None:
        """Put back what we changed in the VM, if it answers; never raises what it says."""
        if self.answering is not None:
            with contextlib.suppress(SessionError):
                await self.answering.release()

    async def _meet(self) -> None:
        """Connect, find out who it is, follow it; returns when the connection has ended."""
        session = QmpSession(self.path, on_event=self._on_event)
        try:
            session.knock()
            self._enter(Contact.WAITING)
            await session.greet()
            guest = await ConnectedGuest.identify(
                session, label=self.label, settings=self._settings, clock=self._clock
            )
            self._welcome(guest)
            await self._follow(session)
        finally:
            self.connected = None
            self._is_silent.clear()
            await session.close()
        self._enter(Contact.FAILED, failure="the connection to its monitor has just ended")

    def _welcome(self, guest: ConnectedGuest) -> None:
        is_known = guest.identity == self.identity
        if self.identity is not None and not is_known:
            self._lose()
        self.identity, self.connected = guest.identity, guest
        self._retry_s = _RETRY_S_MIN
        self._enter(Contact.CONNECTED)
        self.settled.set()
        if not is_known:
            self._owner.on_appeared(self)

    async def _follow(self, session: QmpSession) -> None:
        async with asyncio.TaskGroup() as group:
            probing = group.create_task(self._end_silence(session))
            await session.wait_closed()
            probing.cancel()

    async def _end_silence(self, session: QmpSession) -> None:
        """Whenever QEMU is silent, ask one thing and wait: its answers come in order."""
        while True:
            await self._is_silent.wait()
            try:
                await session.ask(_PROBE, deadline_s=None)
            except (NotConnectedError, NoAnswerError):
                return  # the connection has ended
            except SessionError:
                pass  # a refusal is an answer, too
            self._is_silent.clear()

    def _lose(self) -> None:
        identity, self.identity = self.identity, None
        self._enter(Contact.ABSENT)
        if identity is not None:
            self._owner.on_disappeared(self, identity)

    def _enter(self, contact: Contact, *, failure: str = "") -> None:
        self.contact = contact
        self._failure = failure
        self._since_s = self._clock.now_s()

    def _on_event(self, name: str, untrusted: Mapping[str, Any]) -> None:
        if name.startswith(("JOB_", "BLOCK_JOB_")) and self.connected is not None:
            self.connected.note_jobs()
        self._owner.on_event(self, name, untrusted)
