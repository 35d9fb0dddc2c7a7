"""A bounded set of worker threads, each with a connection of its own, for calls that block.

libvirt's calls cannot be cancelled, and one on a domain whose QEMU hangs takes as long as that.
Such a call keeps its lane; callers stop waiting at their deadline, and the next call takes another
lane. A connection for each, since libvirtd serves five calls of one connection at a time.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aerostat.drivers.libvirt.errors import NoLaneError, NoReplyError

ResultT = TypeVar("ResultT")
Connect = Callable[[Any], Any]
"""Takes the lane's last connection, or None, and returns one that is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    work: Callable[[Any], Any]
    loop: asyncio.AbstractEventLoop
    outcome: "asyncio.Future[Any]"


class _Lane:
    """One thread; it dies with the process, whatever it waits for."""

    def __init__(self, connect: Connect, disconnect: Callable[[Any], None], name: str) -> None:
        self.is_busy = False
        self._connect = connect
        self._disconnect = disconnect
        self._connection: Any = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def start(self, work: Callable[[Any], ResultT]) -> "asyncio.Future[ResultT]":
        """Begin a call; its future ends when it does, on the caller's event loop."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[ResultT] = loop.create_future()
        self.is_busy = True
        self._jobs.put(_Job(work=work, loop=loop, outcome=outcome))
        return outcome

    def end(self) -> None:
        """End after the call under way."""
        self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            result, error = None, None
            try:
                self._connection = self._connect(self._connection)
                result = job.work(self._connection)
            except Exception as caught:  # noqa: BLE001 # handed to whoever waits, whatever it is
                error = caught
            self._deliver(job, result, error)
        self._disconnect(self._connection)

    def _deliver(self, job: _Job, result: Any, error: Exception | None) -> None:
        def end() -> None:
            self.is_busy = False
            if job.outcome.done():
                return  # nobody waits any more
            if error is None:
                job.outcome.set_result(result)
            else:
                job.outcome.set_exception(error)
                job.outcome.exception()  # it counts as looked at: nobody may be waiting any more

        try:
            job.loop.call_soon_threadsafe(end)
        except RuntimeError:
            self.is_busy = False  # the event loop has ended


class Lanes:
    """Lanes that are made as they are needed, up to a bound."""

    def __init__(
        self, connect: Connect, disconnect: Callable[[Any], None], *, name: str, bound: int
    ) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._name = name
        self._bound = bound
        self._lanes: list[_Lane] = []

    @property
    def busy(self) -> int:
        """How many calls are under way."""
        return sum(lane.is_busy for lane in self._lanes)

    def start(self, work: Callable[[Any], ResultT]) -> "asyncio.Future[ResultT]":
        """Begin a call on a free lane.

        Raises:
            NoLaneError: there is none.
        """
        for lane in self._lanes:
            if not lane.is_busy:
                return lane.start(work)
        if len(self._lanes) == self._bound:
            raise NoLaneError(f"all {self._bound} calls that may be made at once are under way")
        name = f"{self._name}-{len(self._lanes)}"
        self._lanes.append(_Lane(self._connect, self._disconnect, name))
        return self._lanes[-1].start(work)

    async def call(self, work: Callable[[Any], ResultT], *, deadline_s: float) -> ResultT:
        """Make a call and wait for it.

        Raises:
            NoLaneError: it was not made.
            NoReplyError: it is not over by the deadline, and goes on.
            LibvirtCallError: what the work itself raises.
        """
        outcome = self.start(work)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.shield(outcome)
        except TimeoutError as error:
            raise NoReplyError(f"no answer from libvirt within {deadline_s:g} s") from error

    def close(self) -> None:
        """End every lane as soon as its call is over; does not wait for that."""
        for lane in self._lanes:
            lane.end()
        self._lanes.clear()


async def first_answer(
    begin: Callable[[], "asyncio.Future[ResultT]"],
    *,
    patience_s: float,
    again_s: float,
    deadline_s: float,
) -> ResultT:
    """Begin a call, and one more whenever none has answered for a while; return the first answer.

    A call that brings all domains waits for one that hangs, and skips those that another call waits
    for: so each hung domain takes one call, and the next brings the rest.

    Args:
        begin: begins a call; raises NoLaneError where it cannot.
        patience_s: how long an answer may take before another call is begun.
        again_s: the same from then on: something hangs, and others may, too.
        deadline_s: for all of it.

    Raises:
        NoLaneError: not one call could be made.
        NoReplyError: none has answered by the deadline.
        LibvirtCallError: what the first to end raises.
    """
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + deadline_s
    calls: set[asyncio.Future[ResultT]] = set()
    wait_s = patience_s
    while True:
        try:
            calls.add(begin())
        except NoLaneError:
            if not calls:
                raise
        done, _ = await asyncio.wait(calls, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if done:
            return done.pop().result()
        if loop.time() >= give_up_s:
            raise NoReplyError("libvirtd does not answer")
        wait_s = again_s
