"""Keeps in touch with a VM by asking: these APIs say nothing of their own accord."""

import asyncio
import contextlib
from abc import abstractmethod

from aerostat.drivers.agent import AgentDoor
from aerostat.drivers.http_api.guest import ApiGuest, Tell
from aerostat.drivers.http_api.session import ApiSession
from aerostat.drivers.sockets.errors import NoAnswerError, NotConnectedError, RefusedError
from aerostat.drivers.sockets.watch import Contact, Watch
from aerostat.model.events import Event

_LOOK_S = 1.0
"""A VM that nobody has read for so long is read, so that its end and its pauses are seen."""

_SLOW_S = 0.5  # answers take a few milliseconds


class ApiWatch(Watch):
    """One API socket and whoever is behind it."""

    peer = "its API"
    base = ""  # before every path

    @abstractmethod
    async def identify(self, session: ApiSession, tell: Tell) -> ApiGuest:
        """Find out who it is.

        Raises:
            NoVmError: a hypervisor without a VM.
            SessionError, AnswerViolationError: that did not work out.
        """

    async def meet(self) -> None:
        """Find out who it is and follow it; returns when contact has ended."""
        session = ApiSession.open(self.path, base=self.base)
        try:
            guest = await self._identified(session)
            self.welcome(guest)
            await self._follow(guest)
        finally:
            self.part()
            await session.close()

    async def _identified(self, session: ApiSession) -> ApiGuest:
        """Who takes long to say whether there is a VM is shown as one that hangs."""
        waiting = asyncio.get_running_loop().call_later(_SLOW_S, self.enter, Contact.WAITING)
        try:
            return await self.identify(session, self._on_event)
        finally:
            waiting.cancel()

    async def _follow(self, guest: ApiGuest) -> None:
        if guest.vsock is None:
            await self._look_after(guest)
            return
        door = AgentDoor(guest.vsock, guest.agent, clock=self.clock)
        listening = asyncio.create_task(door.keep(), name=f"agent of {guest.identity.guest}")
        try:
            await self._look_after(guest)
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def _look_after(self, guest: ApiGuest) -> None:
        while True:
            await self._until_due(guest)
            if self.answering is None:
                with contextlib.suppress(RefusedError):  # an answer, too
                    await guest.probe()
                self.end_silence()
                continue
            try:
                async with asyncio.timeout(self.settings.command_deadline_s), self.in_use:
                    if self.answering is not None:  # still, after waiting for others
                        await guest.read()
            except (TimeoutError, NoAnswerError):
                self.note_silence()
            except RefusedError:
                guest.read_s = self.clock.now_s()  # it answers; what is wrong, a reading tells
            except NotConnectedError:
                return

    async def _until_due(self, guest: ApiGuest) -> None:
        """Wait until it has not been read for a while, or does not answer."""
        due_s = guest.read_s + _LOOK_S - self.clock.now_s()
        if due_s > 0:
            try:
                async with asyncio.timeout(due_s):
                    await self.silence()
            except TimeoutError:
                return

    def _on_event(self, event: Event) -> None:
        self.owner.on_event(self, event)
