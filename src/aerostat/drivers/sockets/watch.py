"""Keeps in touch with the VM behind one socket: meets it, notices silence, loses it, returns."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from aerostat.drivers.sockets.errors import AnswerViolationError, NotListeningError, SessionError
from aerostat.drivers.sockets.guest import Identity, ReachedGuest
from aerostat.drivers.sockets.rest import Rest
from aerostat.drivers.sockets.settings import SocketSettings
from aerostat.model.events import Event
from aerostat.ports.clock import Clock

RETRY_S_MIN = 0.1


class Contact(Enum):
    """How far a watch has got."""

    ABSENT = auto()  # nobody listens: there is no VM
    WAITING = auto()  # the socket took the call; who is behind it has not answered it yet
    FAILED = auto()  # something listens, and it did not work out
    CONNECTED = auto()


class WatchOwner(Protocol):
    """Who is told of a VM's coming and going, and of its events."""

    def on_appeared(self, watch: "Watch") -> None:
        """A VM has said who it is."""

    def on_disappeared(self, watch: "Watch", identity: Identity) -> None:
        """That VM is gone, or another has taken its place."""

    def on_event(self, watch: "Watch", event: Event) -> None:
        """Something happened to it."""


class Watch(ABC):
    """One socket and whoever is behind it; a subclass knows how to meet it."""

    peer = "its hypervisor"  # in words: who does not answer

    def __init__(
        self, path: Path, *, label: str, settings: SocketSettings, clock: Clock, owner: WatchOwner
    ) -> None:
        self.path = path
        self.label = label
        self.contact = Contact.ABSENT
        self.identity: Identity | None = None  # of the VM last met here, until it is gone
        self.connected: ReachedGuest | None = None
        self.settled = asyncio.Event()  # the first attempt has ended, one way or the other
        self.in_use = asyncio.Lock()  # operations on one guest come one after the other
        self.rest = Rest()  # what was last read of it
        self.settings = settings
        self.clock = clock
        self.owner = owner
        self._since_s = clock.now_s()
        self._failure = ""
        self._is_silent = asyncio.Event()
        self._retry_s = RETRY_S_MIN

    @property
    def is_there(self) -> bool:
        """Whether there is a VM, answering or not."""
        return self.contact is not Contact.ABSENT

    @property
    def answering(self) -> ReachedGuest | None:
        """The VM, if it can be asked something now."""
        return None if self._is_silent.is_set() else self.connected

    @property
    def trouble(self) -> str:
        """Why it cannot be asked, in words."""
        waited_s = max(0.0, self.clock.now_s() - self._since_s)
        if self.contact is Contact.WAITING:
            return self.waiting_words(waited_s)
        if self._is_silent.is_set():
            return f"{self.peer} has not answered for {waited_s:.1f} s"
        return self._failure or f"{self.peer} is being connected"

    def waiting_words(self, waited_s: float) -> str:
        """What it means that the socket took the call and nothing has come since."""
        return f"{self.peer} took the connection {waited_s:.1f} s ago and says nothing: it hangs"

    def note_silence(self) -> None:
        """A command got no answer in time: ask nothing more until the peer has caught up.

        Commands sent to a VM that hangs would be carried out, all of them, when it wakes.
        """
        if self.connected is not None and not self._is_silent.is_set():
            self._since_s = self.clock.now_s() - self.settings.command_deadline_s
            self.rest.forget()
            self._is_silent.set()

    async def keep(self) -> None:
        """Stay in touch; returns when the socket is gone from the file system."""
        while True:
            try:
                await self.meet()
                self.enter(Contact.FAILED, failure=f"the connection to {self.peer} has just ended")
                pause_s = RETRY_S_MIN
            except NotListeningError as error:
                self.lose()
                if isinstance(error.__cause__, FileNotFoundError):
                    return
                pause_s = self.settings.rescan_s  # cheap: a dead socket refuses at once
            except (SessionError, AnswerViolationError) as error:
                self.enter(Contact.FAILED, failure=str(error))
                pause_s = self._retry_s
                self._retry_s = min(2 * self._retry_s, self.settings.retry_s_max)
            finally:
                self.settled.set()
            await asyncio.sleep(pause_s)

    async def release(self) -> None:
        """Put back what we changed in the VM, if it answers; never raises what it says."""
        if self.answering is not None:
            with contextlib.suppress(SessionError):
                await self.answering.release()

    @abstractmethod
    async def meet(self) -> None:
        """Connect, find out who it is, ``welcome`` it and stay; returns when contact has ended.

        Raises:
            NotListeningError: there is no VM.
            SessionError, AnswerViolationError: something else went wrong.
        """

    def welcome(self, guest: ReachedGuest) -> None:
        """A VM has said who it is."""
        is_known = guest.identity == self.identity
        if self.identity is not None and not is_known:
            self.lose()
        self.identity, self.connected = guest.identity, guest
        self._retry_s = RETRY_S_MIN
        self.enter(Contact.CONNECTED)
        self.settled.set()
        if not is_known:
            self.owner.on_appeared(self)

    def part(self) -> None:
        """Contact has ended; whether the VM has, the next attempt tells."""
        self.connected = None
        self.rest.forget()
        self._is_silent.clear()

    def lose(self) -> None:
        """There is no VM any more."""
        identity, self.identity = self.identity, None
        self.enter(Contact.ABSENT)
        if identity is not None:
            self.owner.on_disappeared(self, identity)

    def enter(self, contact: Contact, *, failure: str = "") -> None:
        """Note how far it has got."""
        self.contact = contact
        self._failure = failure
        self._since_s = self.clock.now_s()

    async def silence(self) -> None:
        """Wait until a command has got no answer."""
        await self._is_silent.wait()

    def end_silence(self) -> None:
        """It has answered again."""
        self._is_silent.clear()
