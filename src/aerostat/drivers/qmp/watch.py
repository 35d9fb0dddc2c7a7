"""Keeps in touch with a QEMU by its monitor."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aerostat.drivers.agent import AgentChannel, HeardAgent, agent_socket
from aerostat.drivers.qmp.guest import ConnectedGuest
from aerostat.drivers.qmp.happenings import parse_event
from aerostat.drivers.qmp.holders import holder_of
from aerostat.drivers.qmp.session import Command, QmpSession
from aerostat.drivers.sockets.errors import NoAnswerError, NotConnectedError, SessionError
from aerostat.drivers.sockets.watch import Contact, Watch
from aerostat.model.events import PressurePushed

_PROBE = Command(name="query-status")


class QmpWatch(Watch):
    """One monitor socket and whoever is behind it."""

    peer = "its monitor"

    def waiting_words(self, waited_s: float) -> str:
        """QEMU's queue took the call; it serves one client at a time."""
        return (
            f"its monitor took the connection {waited_s:.1f} s ago and sends no greeting: "
            "it is held by another client, or QEMU hangs"
        )

    async def meet(self) -> None:
        """Connect, find out who it is, follow it; returns when the connection has ended."""
        holder = holder_of(self.path)
        if holder is not None:
            raise NotConnectedError(holder)
        session = QmpSession(self.path, on_event=self._on_event)
        try:
            session.knock()
            self.enter(Contact.WAITING)
            await session.greet()
            guest = await ConnectedGuest.identify(
                session, label=self.label, settings=self.settings, clock=self.clock
            )
            agent = HeardAgent(guest.identity.guest, clock=self.clock, tell=self._on_pressure)
            guest.listen_to(agent)
            self.welcome(guest)
            await self._follow(session, agent)
        finally:
            self.part()
            await session.close()

    async def _follow(self, session: QmpSession, agent: HeardAgent) -> None:
        channel = AgentChannel(agent_socket(self.path), agent, clock=self.clock)
        async with asyncio.TaskGroup() as group:
            probing = group.create_task(self._end_silence(session))
            listening = group.create_task(channel.keep())
            await session.wait_closed()
            probing.cancel()
            listening.cancel()

    async def _end_silence(self, session: QmpSession) -> None:
        """Whenever QEMU is silent, ask one thing and wait: its answers come in order."""
        while True:
            await self.silence()
            try:
                await session.ask(_PROBE, deadline_s=None)
            except (NotConnectedError, NoAnswerError):
                return  # the connection has ended
            except SessionError:
                pass  # a refusal is an answer, too
            self.end_silence()

    def _on_pressure(self, event: PressurePushed) -> None:
        self.owner.on_event(self, event)

    def _on_event(self, name: str, untrusted: Mapping[str, Any]) -> None:
        if name.startswith(("JOB_", "BLOCK_JOB_")) and isinstance(self.connected, ConnectedGuest):
            self.connected.note_jobs()
        elif name == "DEVICE_DELETED" and isinstance(self.connected, ConnectedGuest):
            self.connected.note_devices()
        if self.identity is None:
            return
        event = parse_event(self.identity.guest, name, untrusted)
        if event is not None:
            self.owner.on_event(self, event)
