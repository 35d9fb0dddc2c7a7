"""Keeps the roll up to date, however many of its domains hang.

One call brings all domains. It skips those that another call waits for, and waits itself for one
whose QEMU has just begun to hang. So a second call is made when the first takes long: it skips that
one and brings the others. Each domain that hangs keeps one lane, until it goes on.
"""

import asyncio

from aerostat.drivers.libvirt.binding import Binding, RawDomain
from aerostat.drivers.libvirt.errors import LibvirtCallError
from aerostat.drivers.libvirt.lanes import Lanes, first_answer
from aerostat.drivers.libvirt.roll import Roll
from aerostat.drivers.libvirt.settings import LibvirtSettings
from aerostat.ports.clock import Clock

_SHARED_S = 0.01
"""Who asks within so long of another waits for the same answer: a round asks for all its guests."""


class Reading:
    """One picture of all domains at a time, shared by everybody who asks for it."""

    def __init__(
        self, binding: Binding, lanes: Lanes, roll: Roll, *, settings: LibvirtSettings, clock: Clock
    ) -> None:
        self.trouble: str | None = None  # why nothing can be read at all
        self._binding = binding
        self._lanes = lanes
        self._roll = roll
        self._settings = settings
        self._clock = clock
        self._round: asyncio.Task[None] | None = None
        self._begun_s = 0.0
        self._calls: set[asyncio.Task[None]] = set()

    async def refresh(self) -> None:
        """Return when the roll is as of now, or cannot be: then ``trouble`` says why."""
        now_s = self._clock.now_s()
        is_over = self._round is None or self._round.done()
        if is_over or now_s - self._begun_s > _SHARED_S:
            self._begun_s = now_s
            self._round = asyncio.create_task(self._look())
        assert self._round is not None
        await asyncio.shield(self._round)

    def close(self) -> None:
        """Wait for nothing any more."""
        for task in (*self._calls, *((self._round,) if self._round is not None else ())):
            task.cancel()

    async def _look(self) -> None:
        try:
            await first_answer(
                self._call,
                patience_s=self._settings.patience_s,
                again_s=self._settings.patience_again_s,
                deadline_s=self._settings.command_deadline_s,
            )
            self.trouble = None
        except LibvirtCallError as error:
            self.trouble = str(error)

    def _call(self) -> "asyncio.Task[None]":
        begun_s = self._clock.now_s()
        outcome = self._lanes.start(self._binding.read_all)
        task = asyncio.create_task(self._take(outcome, begun_s))
        self._calls.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # a late call's failure is no news: others have answered

    async def _take(self, outcome: "asyncio.Future[tuple[RawDomain, ...]]", begun_s: float) -> None:
        found = await outcome
        self._roll.take(found, begun_s=begun_s, now_s=self._clock.now_s())
