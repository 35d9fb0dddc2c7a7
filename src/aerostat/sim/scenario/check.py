"""The form of a check: a thing that must hold in a window of time, judged on a recording."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeVar

from aerostat.config.values import DurationS, Glob
from aerostat.sim.scenario.recording import Command, GuestInstant, Instant, Recording
from aerostat.sim.scenario.values import Sentence, Table, matching
from aerostat.units import format_size

TimedT = TypeVar("TimedT", Instant, Command)


class Check(Table, ABC):
    """What all checks have. ``failure`` says in a sentence what did not hold, or is None."""

    name: Sentence
    after: DurationS = 0.0
    until: DurationS | None = None  # by default to the end

    def failure(self, run: Recording) -> str | None:
        """Judge a run."""
        return self._judge(run)

    @abstractmethod
    def _judge(self, run: Recording) -> str | None:
        """What did not hold, in a sentence; None: it held."""

    def window(self, things: Iterable[TimedT]) -> Iterator[TimedT]:
        """Those within the window."""
        for thing in things:
            if self.is_within(thing.at_s):
                yield thing

    def is_within(self, at_s: float) -> bool:
        """Whether an instant lies in the window."""
        return self.after <= at_s <= (float("inf") if self.until is None else self.until)


class GuestCheck(Check, ABC):
    """A check on guests: all those the glob means."""

    guest: Glob = "*"

    def names(self, run: Recording) -> tuple[str, ...]:
        """The guests that are meant."""
        return matching(self.guest, run.names)

    def commands(self, run: Recording) -> Iterator[Command]:
        """Commands to these guests within the window."""
        names = self.names(run)
        return (command for command in self.window(run.commands) if command.guest in names)

    def instants(self, run: Recording) -> Iterator[tuple[float, str, GuestInstant]]:
        """These guests at every instant of the window."""
        names = self.names(run)
        for instant in self.window(run.instants):
            for name in names:
                if name in instant.guests:
                    yield instant.at_s, name, instant.guests[name]

    def unseen(self, run: Recording) -> str | None:
        """Say that one of these guests was not there at all: then nothing can be judged."""
        seen = {name for instant in self.window(run.instants) for name in instant.guests}
        missing = [name for name in self.names(run) if name not in seen]
        return f"{missing[0]} was not there" if missing else None

    def risen(self, run: Recording, counter: str) -> float:
        """By how much a counter of these guests rose within the window, resets not counted."""
        total = 0.0
        for name in self.names(run):
            values = [
                float(getattr(instant.guests[name], counter))
                for instant in self.window(run.instants)
                if name in instant.guests
            ]
            total += sum(max(0.0, now - before) for before, now in pairwise(values))
        return total


def at(at_s: float) -> str:
    """Name an instant."""
    return f"at {at_s:.1f} s"


def size(size_bytes: float) -> str:
    """Name a size."""
    return format_size(int(size_bytes))
