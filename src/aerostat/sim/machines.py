"""All guests of a world behind sockets in a directory, coming and going as the guests do."""

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from aerostat.model.events import Event, LifecycleChanged, LifecycleKind
from aerostat.model.guest import GuestId
from aerostat.sim.guest import SimulatedGuest
from aerostat.sim.world import World


class Peer(Protocol):
    """What stands in for one VM's hypervisor."""

    async def open(self) -> None:
        """Listen."""
        ...

    async def close(self) -> None:
        """End: connections break, and the socket is gone."""
        ...

    def hang_up(self) -> None:
        """Break whatever connections there are; the VM lives on."""
        ...


PeerT = TypeVar("PeerT", bound=Peer)


class MachinesOf(ABC, Generic[PeerT]):
    """Hypervisors for a world's guests, for use in an ``async with`` block.

    Everything lives on the running loop, so that on virtual time a driver's sockets, deadlines and
    retries are virtual, too. The world has to be run by whoever made it.

    Args:
        world: the guests.
        directory: for the sockets; its path must be short enough for them.
    """

    suffix = "sock"  # of the sockets' names

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.peers: dict[GuestId, PeerT] = {}
        self._directory = directory
        self._changes: asyncio.Queue[LifecycleChanged] = asyncio.Queue()
        self._following: asyncio.Task[None] | None = None

    @property
    def pattern(self) -> str:
        """The glob by which a driver finds them."""
        return str(self._directory / f"*.{self.suffix}")

    @abstractmethod
    def new_peer(self, guest: SimulatedGuest, path: Path) -> PeerT:
        """What is to stand in for this guest's hypervisor."""

    def told(self, event: Event) -> None:
        """Something happened to a guest, which its hypervisor may tell; most say nothing."""

    async def __aenter__(self) -> Self:
        for guest in self.world.guests:
            await self._add(guest)
        self._stop_listening = self.world.listen(self._hear)
        self._following = asyncio.create_task(self._follow(), name="fake-hypervisors")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_listening()
        assert self._following is not None
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        for peer in self.peers.values():
            await peer.close()

    def hang_up(self, guest: GuestId) -> None:
        """Break the connections to this guest's hypervisor; the VM lives on."""
        self.peers[guest].hang_up()

    def _hear(self, event: Event) -> None:
        if isinstance(event, LifecycleChanged):
            self._changes.put_nowait(event)
        else:
            self.told(event)

    async def _follow(self) -> None:
        """Guests come and go, and their hypervisors with them."""
        while True:
            change = await self._changes.get()
            if change.kind is LifecycleKind.APPEARED:
                await self._add(change.guest)
            elif change.kind is LifecycleKind.DISAPPEARED:
                await self.peers.pop(change.guest).close()
            elif change.guest in self.peers:
                self.told(change)

    async def _add(self, guest: GuestId) -> None:
        path = self._directory / f"{guest}.{self.suffix}"
        peer = self.new_peer(self.world.guests[guest], path)
        await peer.open()
        self.peers[guest] = peer
