"""One round's picture of all guests: every read has a deadline, and a late one delays nobody."""

import asyncio
from collections.abc import Sequence

from aerostat.model.events import Event, PressurePushed, TargetAnswered
from aerostat.model.guest import GuestId, GuestSnapshot, RunState
from aerostat.model.host import HostMemory, HostSnapshot
from aerostat.ports.clock import Clock
from aerostat.ports.driver import HypervisorDriver
from aerostat.ports.errors import DriverError, GuestGoneError, SensorError
from aerostat.ports.sensor import HostSensor

READ_DEADLINE_S = 0.4
"""A round waits so long for its guests; who is late is shown as unreachable and read on."""

HASTE_S = 0.75
"""What was read so lately does for a round that cannot wait: ordinary rounds are closer."""

_NO_CHANGE = (PressurePushed, TargetAnswered)
"""Events after which a guest is as it was read; a reset, say, makes another one of it."""


class Collector:
    """Reads the host and every guest; owns reads that are still under way from earlier rounds."""

    def __init__(self, driver: HypervisorDriver, sensor: HostSensor, clock: Clock) -> None:
        self._driver = driver
        self._sensor = sensor
        self._clock = clock
        self._reads: dict[GuestId, asyncio.Task[GuestSnapshot]] = {}
        self._last: dict[GuestId, GuestSnapshot] = {}
        self._last_s: dict[GuestId, float] = {}
        self._late: set[GuestId] = set()  # did not answer in time, and have not answered since
        self.sensor_trouble: str | None = None

    async def collect(
        self,
        tasks: asyncio.TaskGroup,
        *,
        is_patient: bool = False,
        haste: Sequence[Event] = (),
    ) -> HostSnapshot:
        """Read everything once.

        Args:
            tasks: where reads live that outlast their round.
            is_patient: wait also for guests that were late the last time. A round does not: a
                guest that hangs costs the others one deadline, not one in every round.
            haste: what has come since the last round, where a guest's agent says that it waits
                for memory: then what was just read has to do (docs/design/0034).
        """
        guests = await self._driver.list_guests()
        self._forget_the_gone(guests)
        known = self._known(guests, haste) if haste else {}
        for guest in guests:
            if guest in self._reads or guest in known:
                continue
            if (unchanged := self._unchanged(guest)) is not None:
                known[guest] = unchanged
            else:
                self._reads[guest] = tasks.create_task(self._read(guest))
        awaited = [
            read
            for guest, read in self._reads.items()
            if guest not in known and (is_patient or guest not in self._late)
        ]
        if awaited:
            await asyncio.wait(awaited, timeout=READ_DEADLINE_S)
        snapshots = [known.get(guest) or self._result(guest) for guest in sorted(guests)]
        return HostSnapshot(
            now_s=self._clock.now_s(),
            wall_s=self._clock.wall_s(),
            memory=self._host_memory(),
            guests=tuple(snapshot for snapshot in snapshots if snapshot is not None),
        )

    def abandon(self) -> None:
        """Stop waiting for reads that are still under way."""
        for task in self._reads.values():
            task.cancel()
        self._reads.clear()

    async def _read(self, guest: GuestId) -> GuestSnapshot:
        try:
            return await self._driver.read_guest(guest)
        except GuestGoneError:
            raise asyncio.CancelledError from None
        except DriverError as error:
            return self._unreachable(guest, str(error))
        except Exception as error:  # noqa: BLE001 # one guest's surprise must not end the round
            return self._unreachable(guest, f"unexpected {type(error).__name__}: {error}")

    def _unchanged(self, guest: GuestId) -> GuestSnapshot | None:
        """A guest that need not be asked costs no task."""
        try:
            snapshot = self._driver.unchanged(guest)
        except Exception:  # noqa: BLE001 # reading it tells what is wrong
            return None
        if snapshot is not None:
            self._note(guest, snapshot)
        return snapshot

    def _known(
        self, guests: tuple[GuestId, ...], events: Sequence[Event]
    ) -> dict[GuestId, GuestSnapshot]:
        """What was read a moment ago of guests of whom nothing else is heard, as old as it is now.

        Those that wait for memory are measured by the host anew: they are likely to grow.
        """
        now_s = self._clock.now_s()
        pushed = {event.guest for event in events if isinstance(event, PressurePushed)}
        changed = {event.guest for event in events if not isinstance(event, _NO_CHANGE)}
        known = {
            guest: self._last[guest].aged(now_s - self._last_s[guest])
            for guest in guests
            if guest in self._last
            and guest not in changed
            and 0 <= now_s - self._last_s[guest] <= HASTE_S
        }
        known.update((one, self._driver.measured(known[one])) for one in pushed if one in known)
        return known

    def _result(self, guest: GuestId) -> GuestSnapshot | None:
        task = self._reads[guest]
        if not task.done():
            self._late.add(guest)
            return self._unreachable(guest, "its hypervisor does not answer in time")
        del self._reads[guest]
        if task.cancelled():
            self._drop(guest)
            return None
        self._note(guest, task.result())
        return self._last[guest]

    def _note(self, guest: GuestId, read: GuestSnapshot) -> None:
        self._last[guest], self._last_s[guest] = read, self._clock.now_s()
        if read.run_state is not RunState.UNREACHABLE:
            self._late.discard(guest)

    def _drop(self, guest: GuestId) -> None:
        self._last.pop(guest, None)
        self._last_s.pop(guest, None)

    def _unreachable(self, guest: GuestId, trouble: str) -> GuestSnapshot:
        last = self._last.get(guest)
        return GuestSnapshot(
            guest=guest,
            name=str(guest) if last is None else last.name,
            run_state=RunState.UNREACHABLE,
            max_bytes=None if last is None else last.max_bytes,
            has_balloon=None if last is None else last.has_balloon,
            trouble=trouble,
        )

    def _forget_the_gone(self, guests: tuple[GuestId, ...]) -> None:
        present = frozenset(guests)
        for guest in [known for known in self._last if known not in present]:
            self._drop(guest)
        for guest in [read for read in self._reads if read not in present]:
            self._reads.pop(guest).cancel()
        self._late.intersection_update(present)

    def _host_memory(self) -> HostMemory | None:
        try:
            memory = self._sensor.read()
        except SensorError as error:
            self.sensor_trouble = str(error)
            return None
        self.sensor_trouble = None
        return memory
