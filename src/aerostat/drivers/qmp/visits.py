"""Keeps in touch with a QEMU whose monitor others use: short visits, and nobody is kept out.

See docs/design/0023-visits-to-a-shared-monitor.md.
"""

import asyncio
from pathlib import Path

from aerostat.drivers.agent import AgentLink, agent_socket
from aerostat.drivers.qmp.guest import ConnectedGuest
from aerostat.drivers.qmp.settings import QmpSettings
from aerostat.drivers.qmp.turns import BusyError, Turns
from aerostat.drivers.qmp.visited import VisitedGuest
from aerostat.drivers.sockets.errors import NoAnswerError, NotConnectedError
from aerostat.drivers.sockets.watch import Contact, Watch, WatchOwner
from aerostat.model.events import Event
from aerostat.ports.clock import Clock


class QmpVisits(Watch):
    """One monitor socket of Proxmox, or of whoever else works as it does."""

    peer = "its monitor"

    def __init__(
        self,
        path: Path,
        *,
        label: str,
        settings: QmpSettings,
        clock: Clock,
        owner: WatchOwner,
    ) -> None:
        super().__init__(path, label=label, settings=settings, clock=clock, owner=owner)
        self._paces = settings

    def waiting_words(self, waited_s: float) -> str:
        """QEMU's queue took the call; it serves one client at a time."""
        return (
            f"its monitor took the connection {waited_s:.1f} s ago and sends no greeting: "
            "another client holds it, or QEMU hangs"
        )

    async def meet(self) -> None:
        """Find out who it is, and visit it; returns when another VM has taken its place."""
        turns = Turns(self.path)
        link: AgentLink | None = None
        try:
            guest = await self._introduced(turns)
            link = AgentLink(
                agent_socket(self.path),
                guest.identity.guest,
                clock=self.clock,
                tell=self._on_event,
            )
            guest.listen_to(link.heard)
            self.welcome(guest)
            await self._follow(guest)
        finally:
            if link is not None:
                link.close()
            self.part()
            await turns.close()

    async def _introduced(self, turns: Turns) -> VisitedGuest:
        """Wait for the first turn, however long others hold the monitor."""
        while True:
            try:
                async with turns.turn(wait_s=self._paces.command_deadline_s) as session:
                    connected = await ConnectedGuest.identify(
                        session, label=self.label, settings=self._paces, clock=self.clock
                    )
                    guest = VisitedGuest(
                        connected,
                        turns,
                        settings=self._paces,
                        clock=self.clock,
                        tell=self._on_event,
                    )
                    await guest.look()
                    return guest
            except BusyError:
                if self.contact is not Contact.WAITING:
                    self.enter(Contact.WAITING)

    async def _follow(self, guest: VisitedGuest) -> None:
        visited_s = self.clock.now_s()
        while True:
            await self._until_due(guest, visited_s)
            try:
                is_same = await guest.visit()
            except BusyError as error:
                guest.note_miss(str(error))
                continue  # our place in the queue is kept: on no account be greeted and not there
            except (NotConnectedError, NoAnswerError) as error:
                guest.note_miss(str(error))
            else:
                if not is_same:
                    return
                self.end_silence()
            visited_s = self.clock.now_s()

    async def _until_due(self, guest: VisitedGuest, visited_s: float) -> None:
        """Leave the monitor to others for a while; less long while something moves."""
        while (wait_s := visited_s + guest.pause_s - self.clock.now_s()) > 0:
            guest.stirred.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await guest.stirred.wait()
            except TimeoutError:
                return

    def _on_event(self, event: Event) -> None:
        self.owner.on_event(self, event)
