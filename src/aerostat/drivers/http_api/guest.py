"""One VM behind an HTTP API: what its hypervisors have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from aerostat.drivers.agent import HeardAgent
from aerostat.drivers.http_api.session import ApiSession
from aerostat.drivers.sockets.changes import Changes
from aerostat.drivers.sockets.errors import NotListeningError
from aerostat.drivers.sockets.guest import Identity, Reading
from aerostat.drivers.sockets.settings import SocketSettings
from aerostat.model.events import Event
from aerostat.ports.clock import Clock

Tell = Callable[[Event], None]


class NoVmError(NotListeningError):
    """A hypervisor is there and answers, and it has no VM that runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalloonFeatures:
    """What a VM's balloon was made with; none of it can be changed while the VM lives."""

    deflates_on_oom: bool
    reports_free_pages: bool
    hints_free_pages: bool = False
    statistics_period_s: int | None = (
        None  # 0: off for good; None: the hypervisor has no such thing
    )


class ApiGuest(ABC):
    """A VM whose API answers. The watch and the driver both read it; either may see a change."""

    def __init__(
        self,
        session: ApiSession,
        identity: Identity,
        *,
        settings: SocketSettings,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self.session = session
        self.identity = identity
        self.max_bytes: int | None = None
        self.sample_gap_s = 0.0  # these read their guest when they are asked
        self.settings = settings
        self.clock = clock
        self.read_s = clock.now_s()  # when it was last read
        self.vsock: Path | None = None  # its socket, as seen from here; None: it has none
        self.agent = HeardAgent(identity.guest, clock=clock, tell=tell)
        self._tell = tell
        self._changes = Changes(identity.guest)

    async def read(self) -> Reading:
        """Read it, and tell what has changed since.

        Raises:
            SessionError: it did not answer.
        """
        reading = await self.look()
        self.read_s = self.clock.now_s()
        for event in self._changes.since(reading, now_s=self.read_s):
            self._tell(event)
        return reading if self.vsock is None else self._with_agent(reading)

    def _with_agent(self, reading: Reading) -> Reading:
        heard = self.agent.beside(reading.statistics, max_bytes=self.max_bytes)
        return replace(
            reading,
            statistics=heard.statistics,
            pressure=heard.pressure,
            troubles=(*reading.troubles, *heard.troubles),
        )

    @abstractmethod
    async def look(self) -> Reading:
        """Ask for one round's figures.

        Raises:
            NoVmError: the hypervisor is there, and its VM has ended.
            SessionError: it did not answer.
        """

    @abstractmethod
    async def probe(self) -> None:
        """Ask one thing, and wait for as long as it takes.

        Raises:
            SessionError: the connection has ended.
        """

    @abstractmethod
    async def set_target(self, target_bytes: int) -> None:
        """Send a target; a return means that it was taken.

        Raises:
            SessionError: it was not, or nobody knows.
        """

    @abstractmethod
    async def release(self) -> None:
        """Put back what we changed in the VM.

        Raises:
            SessionError: it did not answer.
        """
