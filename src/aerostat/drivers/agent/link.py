"""One VM's agent, listened to in a task of its own, for drivers that keep no task per VM."""

import asyncio
from pathlib import Path

from aerostat.drivers.agent.channel import AgentChannel
from aerostat.drivers.agent.heard import HeardAgent, Tell
from aerostat.model.guest import GuestId
from aerostat.ports.clock import Clock


class AgentLink:
    """Begins to listen when it is made, inside a running event loop."""

    def __init__(self, path: Path, guest: GuestId, *, clock: Clock, tell: Tell) -> None:
        self.path = path
        self.heard = HeardAgent(guest, clock=clock, tell=tell)
        channel = AgentChannel(path, self.heard, clock=clock)
        self._task = asyncio.create_task(channel.keep(), name=f"agent of {guest}")

    def close(self) -> None:
        """Listen no more."""
        self._task.cancel()
