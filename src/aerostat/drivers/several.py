"""Several drivers behind the one port: a host may run VMs under more than one hypervisor."""

from collections.abc import Sequence
from dataclasses import replace

from aerostat.model.guest import GuestId, GuestSnapshot
from aerostat.ports.driver import EventSink, HypervisorDriver
from aerostat.ports.errors import GuestGoneError


class SeveralDrivers:
    """Asks each driver for its guests, and sends every question to the one that has the guest.

    A VM that two drivers know by the same id, such as a libvirt domain whose monitor a glob finds
    as well, belongs to the first of them; the other leaves it alone.
    """

    def __init__(self, drivers: Sequence[HypervisorDriver]) -> None:
        self._drivers = tuple(drivers)
        self._owners: dict[GuestId, HypervisorDriver] = {}
        self._shared: frozenset[GuestId] = frozenset()

    async def open(self, sink: EventSink) -> None:
        """Open all of them; if one cannot be opened, none stays open."""
        opened: list[HypervisorDriver] = []
        try:
            for driver in self._drivers:
                opened.append(driver)
                await driver.open(sink)
        except BaseException:
            for driver in opened:
                await driver.close()
            raise

    async def list_guests(self) -> tuple[GuestId, ...]:
        """All guests of all drivers, ordered, each once."""
        owners: dict[GuestId, HypervisorDriver] = {}
        shared: set[GuestId] = set()
        for driver in self._drivers:
            for guest in await driver.list_guests():
                if owners.setdefault(guest, driver) is not driver:
                    shared.add(guest)
        self._owners, self._shared = owners, frozenset(shared)
        return tuple(sorted(owners))

    async def read_guest(self, guest: GuestId) -> GuestSnapshot:
        """Read a guest by the driver that has it."""
        snapshot = await self._owner(guest, "reading").read_guest(guest)
        if guest not in self._shared:
            return snapshot
        told = "it is also found by another driver, which leaves it alone"
        trouble = told if snapshot.trouble is None else f"{snapshot.trouble}; {told}"
        return replace(snapshot, trouble=trouble)

    def unchanged(self, guest: GuestId) -> GuestSnapshot | None:
        """What is known of a guest that need not be read, by the driver that has it."""
        owner = self._owners.get(guest)
        # What is said of one that two drivers have is said with a reading.
        return None if owner is None or guest in self._shared else owner.unchanged(guest)

    def measured(self, known: GuestSnapshot) -> GuestSnapshot:
        """What the host measures of it by now, by the driver that has it."""
        owner = self._owners.get(known.guest)
        return known if owner is None else owner.measured(known)

    async def set_target(self, guest: GuestId, *, target_bytes: int) -> None:
        """Ask the driver that has the guest for a target."""
        await self._owner(guest, "setting the target").set_target(guest, target_bytes=target_bytes)

    async def close(self) -> None:
        """Let go of all guests of all drivers."""
        for driver in self._drivers:
            await driver.close()

    def _owner(self, guest: GuestId, operation: str) -> HypervisorDriver:
        owner = self._owners.get(guest)
        if owner is None:
            raise GuestGoneError(guest, operation, "no VM of that id is there")
        return owner
