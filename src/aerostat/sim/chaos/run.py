"""One world moved through time: compiled, interpreted, or by asking ``engine.step``."""

from dataclasses import dataclass
from typing import Any

from aerostat.engine import codes
from aerostat.engine.columns import Figures, Hosts, Memory, Round, empty_memory, new_round
from aerostat.engine.knobs import knobs_of
from aerostat.engine.params import EngineParams
from aerostat.model.events import (
    Event,
    LifecycleChanged,
    LifecycleKind,
    MemoryReserved,
    PressurePushed,
    PressureTrigger,
)
from aerostat.policy.columns import ABSENT, FloatColumn
from aerostat.sim.chaos.asked import AskedEngine
from aerostat.sim.chaos.columns import START_S, VIOLATIONS_MAX, World
from aerostat.sim.chaos.happen import Happening, happen
from aerostat.sim.chaos.loops import TickLoop, compiled_loop
from aerostat.sim.chaos.ticks import run_ticks
from aerostat.sim.compiled import as_arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that did not hold."""

    tick: int
    guest: int | None  # None: all of them together
    rule: int
    found: int
    allowed: int


class Runner:
    """Moves one world through time; compiled, interpreted, or asking ``engine.step``."""

    def __init__(self, world: World, *, how: str = "compiled") -> None:
        self.tick = 0
        self.how = how
        self._asked: AskedEngine | None = None
        self._reservations: dict[str, tuple[int, float]] = {}
        self.world = world
        if how == "step":
            self._asked = AskedEngine(world)
            return
        self._round = blank_round(len(world.guests.is_here))
        self._loop: TickLoop = run_ticks
        self._was_here = [0] * len(world.guests.is_here)
        if how == "compiled":
            self.world, self._round = as_arrays(world), as_arrays(self._round)
            self._loop = compiled_loop()
        for i in range(len(self._was_here)):
            # Guests of the first round were there before the engine.
            if world.guests.is_here[i] == 1:
                self._begin(i, now_s=START_S - ADOPTED_S)

    def play(self, happenings: tuple[Happening, ...], ticks: int) -> None:
        """Let ``ticks`` pass, with what happens in them (ticks counted from now)."""
        first, end = self.tick, self.tick + ticks
        at = 0
        while self.tick < end:
            events: list[Event] = []
            while at < len(happenings) and first + happenings[at].tick <= self.tick:
                events.extend(happen(self.world, happenings[at]))
                at += 1
            until = first + happenings[at].tick if at < len(happenings) else end
            self._span(tuple(events), min(until, end))

    def _span(self, events: tuple[Event, ...], until: int) -> None:
        if self._asked is not None:
            self._asked.run(events, self.tick, until)
            self.tick = until
            return
        self._hear(events)
        while self.tick < until:
            self._expire()
            upto = min([until, *self._ends()])
            self._loop(self.world, self._round, self.tick, upto)
            self.tick = upto

    @property
    def _now_s(self) -> float:
        return START_S + self.tick * self.world.tick_s

    def _hear(self, events: tuple[Event, ...]) -> None:
        """What ``engine.state`` does with these events, over columns."""
        for i in range(len(self._was_here)):
            is_here = int(self.world.guests.is_here[i])
            if is_here != self._was_here[i]:
                self._begin(i, now_s=self._now_s)
        for event in events:
            if isinstance(event, MemoryReserved):
                until_s = self._now_s + event.for_s
                self._reservations[str(event.guest)] = (event.size_bytes, until_s)
            elif isinstance(event, PressurePushed):
                self._push(int(str(event.guest)[1:]), event)
            elif isinstance(event, LifecycleChanged):
                self._live(int(str(event.guest)[1:]), event.kind)

    def _push(self, i: int, event: PressurePushed) -> None:
        memory = self._round.memory
        if self._was_here[i] == 1 and event.free_bytes is not None:
            memory.pushed_s[i] = self._now_s
            memory.pushed_is_full[i] = 1 if event.trigger is PressureTrigger.FULL else 0
            memory.pushed_free_bytes[i] = event.free_bytes
            memory.pushed_held_bytes[i] = memory.actual_bytes[i]

    def _begin(self, i: int, *, now_s: float) -> None:
        _blank_row(self._round.memory, i)
        self._round.memory.since_s[i] = now_s
        self._was_here[i] = int(self.world.guests.is_here[i])

    def _live(self, i: int, kind: LifecycleKind) -> None:
        memory = self._round.memory
        if self._was_here[i] == 0:
            return
        if kind is LifecycleKind.RESUMED:
            memory.since_s[i] = memory.progress_s[i] = self._now_s
        elif kind is LifecycleKind.RESET:
            target = int(memory.target_bytes[i])
            _blank_row(memory, i)
            memory.target_bytes[i] = target
            memory.target_set_s[i] = memory.since_s[i] = self._now_s
            memory.is_release_due[i] = 1
        elif kind is LifecycleKind.SHUTDOWN_ASKED:
            memory.shutdown_asked_s[i] = self._now_s

    def _expire(self) -> None:
        standing = {o: r for o, r in self._reservations.items() if r[1] > self._now_s}
        self._reservations = standing
        self.world.host.reserved_bytes[0] = sum(size for size, _ in standing.values())

    def _ends(self) -> list[int]:
        """The ticks at which a reservation is over."""
        ends = []
        for _, until_s in self._reservations.values():
            tick = self.tick
            while START_S + tick * self.world.tick_s < until_s:
                tick += 1
            ends.append(tick)
        return ends


ADOPTED_S = 7.0


def _blank_row(memory: Memory, i: int) -> None:
    fresh = empty_memory(1)
    for name in Memory._fields:
        getattr(memory, name)[i] = getattr(fresh, name)[0]


def blank_round(count: int) -> Round:
    """A round over guests nobody has seen, with the engine's defaults."""
    blank: Any = [
        [0.0] * count if kind is FloatColumn else [0] * count
        for kind in Figures.__annotations__.values()
    ]
    return new_round(
        now_s=START_S,
        policy=codes.POLICY_ADAPTIVE,
        knobs=knobs_of(EngineParams()),
        hosts=Hosts(first=[0], end=[count], **{n: [ABSENT] for n in Hosts._fields[2:]}),
        figures=Figures(*blank),
        memory=empty_memory(count),
    )


def violations_of(world: World) -> tuple[Violation, ...]:
    """What the checks noted, oldest first."""
    verdicts = world.verdicts
    return tuple(
        Violation(
            tick=int(verdicts.tick[n]),
            guest=None if verdicts.guest[n] == ABSENT else int(verdicts.guest[n]),
            rule=int(verdicts.rule[n]),
            found=int(verdicts.found[n]),
            allowed=int(verdicts.allowed[n]),
        )
        for n in range(min(VIOLATIONS_MAX, int(verdicts.total[0])))
    )
