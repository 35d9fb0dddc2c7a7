"""The daemon's own loop on real guests, in a thread; every round it ran is kept for the test.

A loop and not a process: a test gives it parameters that no configuration can have, such as a
peer's rule without our guard, or our engine with one rule switched off.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from aerostat.control.loop import Loop
from aerostat.drivers.qmp import QmpDriver
from aerostat.engine.params import EngineParams
from aerostat.host.clock import SystemClock
from aerostat.host.footprint import FootprintReader
from aerostat.host.sensor import ProcHostSensor
from aerostat.model.modes import Mode
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Bound, Reason
from aerostat.ports.journal import RoundRecord
from aerostat.units import MIB
from deadlines import PATIENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A target that was sent, and what was known of the guest in that round."""

    guest: str
    round: int
    at_s: float  # by the loop's own clock
    before_bytes: int  # the standing target; what it held, where there was none
    target_bytes: int
    wish_bytes: int | None  # what the policy asked for
    reason: Reason
    bound: Bound
    swap_out_rate: float  # of the guest, bytes per second; 0 where it is not known
    samples: int  # how many different samples of this guest had been seen by then

    @property
    def taken_bytes(self) -> int:
        """How much it takes; negative where it gives."""
        return self.before_bytes - self.target_bytes


class Balancer:
    """A running loop and all it did."""

    def __init__(self, sockets: Sequence[Path], params: EngineParams) -> None:
        self._sockets = [str(socket) for socket in sockets]
        self._params = params
        self._rounds: list[RoundRecord] = []
        self._thread = threading.Thread(target=self._run)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._events: asyncio.AbstractEventLoop | None = None
        self._loop: Loop | None = None

    def record(self, record: RoundRecord) -> None:
        """Keep a round: this is the loop's journal."""
        self._rounds.append(record)

    def start(self) -> None:
        """Start balancing."""
        self._thread.start()
        self._ready.wait(PATIENCE_S)

    def stop(self) -> None:
        """Stop, leaving targets as they are; a loop that failed fails the test."""
        if self._events is not None and self._loop is not None and self._thread.is_alive():
            self._events.call_soon_threadsafe(self._loop.request_stop)
        self._thread.join(PATIENCE_S)
        assert self._failure is None, f"the loop ended by itself: {self._failure!r}"
        assert self._loop is not None
        assert self._loop.board.status.failures == 0, self._loop.board.status.failure

    def use(self, params: EngineParams) -> None:
        """Go on with other parameters: what was ordered stands, what is known stays known."""
        assert self._events is not None
        assert self._loop is not None
        self._events.call_soon_threadsafe(self._loop.replace_params, params)

    @property
    def rounds(self) -> Sequence[RoundRecord]:
        """All rounds so far."""
        return tuple(self._rounds)

    def traces(self, guest: str) -> list[GuestTrace]:
        """What every round said of a guest."""
        return [t for r in self.rounds for t in r.trace.guests if t.name == guest]

    def reasons(self, guest: str) -> set[Reason]:
        """Every reason that a round gave for a guest."""
        return {trace.reason for trace in self.traces(guest)}

    def commands(self, guest: str | None = None) -> list[Command]:
        """The targets sent, to one guest or to all."""
        sent: list[Command] = []
        seen: dict[str, set[float]] = {}
        for record in self.rounds:
            for snapshot in record.snapshot.guests:
                if snapshot.statistics is not None and snapshot.statistics.sampled_wall_s > 0:
                    stamps = seen.setdefault(snapshot.name, set())
                    stamps.add(snapshot.statistics.sampled_wall_s)
            traces = {trace.guest: trace for trace in record.trace.guests}
            sent += [
                Command(
                    guest=traces[change.guest].name,
                    round=record.number,
                    at_s=record.snapshot.now_s,
                    before_bytes=_before(traces[change.guest]),
                    target_bytes=change.target_bytes,
                    wish_bytes=traces[change.guest].wish_bytes,
                    reason=change.reason,
                    bound=traces[change.guest].bound,
                    swap_out_rate=traces[change.guest].swap_out_bytes_per_s or 0.0,
                    samples=len(seen.get(traces[change.guest].name, ())),
                )
                for change in record.plan.changes
            ]
        return [command for command in sent if guest in (None, command.guest)]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition; a failure tells what the loop has done."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert self._failure is None, f"the loop ended by itself: {self._failure!r}"
            assert time.monotonic() < give_up_s, f"{what}: not in {PATIENCE_S} s\n{self.account}"
            time.sleep(0.05)

    def until_found(self, *guests: str) -> None:
        """Wait until the loop has figures of these guests."""
        self.until(
            lambda: all(any(t.used_bytes for t in self.traces(guest)) for guest in guests),
            f"figures of {guests}",
        )

    @property
    def account(self) -> str:
        """What it did and how it last saw the guests, for people."""
        lines = [_words(command) for command in self.commands()]
        if self.rounds:
            last = self.rounds[-1].trace
            lines += [
                f"after {len(self.rounds)} rounds:",
                *map(_state, last.guests),
                str(last.host),
            ]
        return "\n".join(lines)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 # told by stop()
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        clock = SystemClock()
        footprints = FootprintReader(now_s=clock.now_s)
        self._events = asyncio.get_running_loop()
        self._loop = Loop(
            driver=QmpDriver(self._sockets, clock=clock, footprint_of=footprints.read),
            sensor=ProcHostSensor(),
            clock=clock,
            params=self._params,
            mode=Mode.ENFORCE,
            journal=self,
        )
        self._ready.set()
        try:
            await self._loop.run()
        finally:
            footprints.close()


def _before(trace: GuestTrace) -> int:
    before = trace.actual_bytes if trace.target_before_bytes is None else trace.target_before_bytes
    assert before is not None, trace
    return before


def _words(command: Command) -> str:
    sizes = f"{command.before_bytes / MIB:.0f} -> {command.target_bytes / MIB:.0f} MiB"
    return f"round {command.round}: {command.guest} {sizes}, {command.reason}"


def _state(trace: GuestTrace) -> str:
    figures = {
        "actual": trace.actual_bytes,
        "used": trace.used_bytes,
        "free": trace.free_bytes,
        "demand": trace.demand_bytes,
    }
    sizes = (f"{n} {'?' if v is None else round(v / MIB)}" for n, v in figures.items())
    marks = [n for n in ("is_distressed", "is_stalled", "is_doubted") if getattr(trace, n)]
    return f"{trace.name}: {', '.join([*sizes, trace.reason, trace.bound, *marks])}"


def turns(commands: Sequence[Command]) -> int:
    """How often targets of one guest turned round: up after down, or down after up."""
    is_take = [command.taken_bytes > 0 for command in commands]
    return sum(before != after for before, after in pairwise(is_take))


@contextmanager
def balancing(sockets: Sequence[Path], params: EngineParams) -> Iterator[Balancer]:
    """A loop for the length of the block."""
    balancer = Balancer(sockets, params)
    balancer.start()
    try:
        yield balancer
    finally:
        balancer.stop()
