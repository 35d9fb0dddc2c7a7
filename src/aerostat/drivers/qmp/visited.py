"""One VM whose monitor is visited: what the last visit brought, growing old until the next."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from aerostat.drivers.agent import HeardAgent
from aerostat.drivers.qmp.guest import ConnectedGuest
from aerostat.drivers.qmp.session import QmpSession
from aerostat.drivers.qmp.settings import QmpSettings
from aerostat.drivers.qmp.turns import HELD, Turns
from aerostat.drivers.sockets.changes import Changes
from aerostat.drivers.sockets.errors import NotConnectedError, NotListeningError
from aerostat.drivers.sockets.guest import Reading
from aerostat.model.events import Event
from aerostat.ports.clock import Clock

_RESTLESS_S = 10.0
"""A balloon that was asked to move, or was seen to, is looked at more often for so long."""


class VisitedGuest:
    """A VM that answers when it is visited."""

    sample_gap_s = 0.0  # each reading is of what is known already: nothing is gained by resting

    def __init__(
        self,
        guest: ConnectedGuest,
        turns: Turns,
        *,
        settings: QmpSettings,
        clock: Clock,
        tell: Callable[[Event], None],
    ) -> None:
        self.identity = guest.identity
        self.max_bytes = guest.max_bytes
        self.stirred = asyncio.Event()  # set when it is to be visited sooner than was thought
        self._guest = guest
        self._turns = turns
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._changes = Changes(guest.identity.guest)
        self._agent: HeardAgent | None = None
        self._reading: Reading | None = None
        self._read_s = clock.now_s()
        self._restless_until_s = 0.0
        self._trouble = ""  # why the last attempt brought nothing

    def listen_to(self, agent: HeardAgent) -> None:
        """What an agent in the guest says is read with everything else from now on."""
        self._agent = agent

    @property
    def pause_s(self) -> float:
        """How long to leave it alone between two visits; not at all while a turn is to come."""
        if self._turns.is_queued:
            return 0.0
        is_restless = self._clock.now_s() < self._restless_until_s
        return self._settings.visit_again_s if is_restless else self._settings.visit_every_s

    async def visit(self) -> bool:
        """Ask it everything; whether it is still the same VM.

        Raises:
            BusyError, SessionError: nothing new was learned.
        """
        deadline_s = self._settings.command_deadline_s
        async with self._turns.turn(wait_s=deadline_s) as session:
            if not await self._guest.meets_again(session):
                return False
            await self.look()
        return True

    async def look(self) -> None:
        """Ask for one round's figures, over the connection that is open.

        Raises:
            SessionError: it did not answer.
        """
        self._guest.note_jobs()  # nobody tells of them between two visits
        before = self._reading
        reading = await self._guest.read(deadline_s=self._settings.command_deadline_s)
        self.max_bytes = self._guest.max_bytes
        self._reading, self._read_s, self._trouble = reading, self._clock.now_s(), ""
        if before is not None and before.actual_bytes != reading.actual_bytes:
            self._restless_until_s = self._read_s + _RESTLESS_S
        for event in self._changes.since(reading, now_s=self._read_s):
            self._tell(event)

    def note_miss(self, trouble: str) -> None:
        """A visit brought nothing."""
        self._trouble = trouble

    async def read(self) -> Reading:
        """What the last visit brought, as old as it is by now.

        Raises:
            NotConnectedError: that was too long ago.
        """
        age_s = self._clock.now_s() - self._read_s
        if self._reading is None or age_s > self._settings.visit_overdue_s:
            why = HELD if self._turns.is_queued else self._trouble or "it was not visited"
            raise NotConnectedError(f"nothing was heard of it for {age_s:.0f} s: {why}")
        return self._beside_its_agent(_older(self._reading, age_s))

    async def set_target(self, target_bytes: int) -> None:
        """Visit it, see that it is still the same VM, and send a target.

        Raises:
            SessionError: it was not taken, or nobody knows.
        """
        deadline_s = self._settings.command_deadline_s
        try:
            async with self._turns.turn(wait_s=deadline_s) as session:
                await self._set_in(session, target_bytes)
        except NotListeningError as error:
            raise NotConnectedError(f"it has ended: {error}") from error
        finally:
            self._restless_until_s = self._clock.now_s() + _RESTLESS_S
            self.stirred.set()

    async def release(self) -> None:
        """Put back what somebody else had set.

        Raises:
            SessionError: the monitor did not answer.
        """
        if self._guest.must_be_released:
            deadline_s = self._settings.command_deadline_s
            async with self._turns.turn(wait_s=deadline_s) as session:
                if await self._guest.meets_again(session):
                    await self._guest.release()

    async def _set_in(self, session: QmpSession, target_bytes: int) -> None:
        if not await self._guest.meets_again(session):
            raise NotConnectedError("another VM has taken its place")
        await self._guest.set_target(target_bytes)

    def _beside_its_agent(self, reading: Reading) -> Reading:
        if self._agent is None:
            return reading
        heard = self._agent.beside(reading.statistics, max_bytes=self.max_bytes)
        return replace(
            reading,
            statistics=heard.statistics,
            pressure=heard.pressure,
            troubles=(*reading.troubles, *heard.troubles),
        )


def _older(reading: Reading, by_s: float) -> Reading:
    statistics = reading.statistics
    if statistics is None or statistics.sampled_wall_s <= 0:
        return reading  # there is no sample that could grow old
    return replace(reading, statistics=replace(statistics, age_s=statistics.age_s + by_s))
