"""Checks on what a controller asked of guests."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator

from aerostat.config.values import DurationS, SizeBytes, read_size
from aerostat.sim.scenario.check import GuestCheck, at, size
from aerostat.sim.scenario.recording import Recording
from aerostat.units import MIB

_NOISE_BYTES = 2 * MIB
_STARVING_S = 2.0
_STARVING_RATIO = 0.2


def _read_size_or_max(value: object) -> int | None:
    return None if value == "max" else read_size(value)


SizeOrMax = Annotated[int | None, BeforeValidator(_read_size_or_max)]
"""None is the guest's max."""


class RaisedTo(GuestCheck):
    """Its target reaches a size soon after the window's start, and in time."""

    check: Literal["raised_to"]
    to: SizeOrMax
    within: DurationS

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            wanted = run.max_bytes[name] if self.to is None else self.to
            reached = [
                instant.target_bytes
                for at_s, instant in run.of_guest(name)
                if self.after <= at_s <= self.after + self.within
            ]
            if max(reached, default=0) < wanted:
                got = size(max(reached, default=0))
                deadline = at(self.after + self.within)
                return f"{name} was offered {got} {deadline}, not {size(wanted)}"
        return None


class LoweredTo(GuestCheck):
    """It has really given memory: what it holds falls to a size in time."""

    check: Literal["lowered_to"]
    to: SizeBytes
    within: DurationS

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            held = [
                instant.actual_bytes
                for at_s, instant in run.of_guest(name)
                if self.after <= at_s <= self.after + self.within
            ]
            if not held:
                return f"{name} was not there"
            least = min(held)
            if least > self.to:
                return f"{name} held {size(least)} at the least, more than {size(self.to)}"
        return None


class TargetNeverBelow(GuestCheck):
    """Its target stays at or above a size."""

    check: Literal["target_never_below"]
    size: SizeOrMax

    def _judge(self, run: Recording) -> str | None:
        for at_s, name, instant in self.instants(run):
            wanted = run.max_bytes[name] if self.size is None else self.size
            if instant.target_bytes < wanted:
                got = size(instant.target_bytes)
                return f"{name} was asked for {got} {at(at_s)}, less than {size(wanted)}"
        return self.unseen(run)


class NeverLowered(GuestCheck):
    """No command lowers its target."""

    check: Literal["never_lowered"]

    def _judge(self, run: Recording) -> str | None:
        for command in self.commands(run):
            if command.target_bytes < command.before_bytes:
                move = f"{size(command.before_bytes)} -> {size(command.target_bytes)}"
                return f"{command.guest} was lowered {at(command.at_s)}: {move}"
        return None


class NeverLoweredWhileStarving(GuestCheck):
    """No command lowers a guest whose workload has waited for memory lately."""

    check: Literal["never_lowered_while_starving"]

    def _judge(self, run: Recording) -> str | None:
        for command in self.commands(run):
            if command.target_bytes >= command.before_bytes - _NOISE_BYTES:
                continue
            ratio = _stalled_ratio(run, command.guest, command.at_s)
            if ratio >= _STARVING_RATIO:
                return (
                    f"{command.guest} was lowered {at(command.at_s)} by "
                    f"{size(command.before_bytes - command.target_bytes)}, "
                    f"stalled {ratio:.0%} of the time"
                )
        return None


def _stalled_ratio(run: Recording, name: str, at_s: float) -> float:
    lately = [
        (when_s, instant.stalled_s)
        for when_s, instant in run.of_guest(name)
        if at_s - _STARVING_S <= when_s < at_s
    ]
    if len(lately) < 2 or lately[-1][1] < lately[0][1]:
        return 0.0
    return (lately[-1][1] - lately[0][1]) / (lately[-1][0] - lately[0][0])


class MovesAtMost(GuestCheck):
    """So many commands at most, for all these guests together."""

    check: Literal["moves_at_most"]
    count: int

    def _judge(self, run: Recording) -> str | None:
        moves = len(list(self.commands(run)))
        return None if moves <= self.count else f"{moves} commands, more than {self.count}"


class FlipsAtMost(GuestCheck):
    """A guest's targets turn round at most so often: up after down, or down after up."""

    check: Literal["flips_at_most"]
    count: int

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            moves = [
                command.target_bytes > command.before_bytes
                for command in self.commands(run)
                if command.guest == name and command.target_bytes != command.before_bytes
            ]
            flips = sum(now != before for before, now in pairwise(moves))
            if flips > self.count:
                return f"{name} was turned round {flips} times, more than {self.count}"
        return None


class TakesAtMost(GuestCheck):
    """All that commands took from a guest, added up, stays within a size."""

    check: Literal["takes_at_most"]
    size: SizeBytes

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            taken = sum(
                max(0, command.before_bytes - command.target_bytes)
                for command in self.commands(run)
                if command.guest == name
            )
            if taken > self.size:
                return f"{size(taken)} were taken from {name}, more than {size(self.size)}"
        return None


class StepAtMost(GuestCheck):
    """No command takes more than a size at once."""

    check: Literal["step_at_most"]
    size: SizeBytes

    def _judge(self, run: Recording) -> str | None:
        for command in self.commands(run):
            step = command.before_bytes - command.target_bytes
            if step > self.size:
                return f"{size(step)} were taken from {command.guest} at once {at(command.at_s)}"
        return None


class TakenTogetherAtMost(GuestCheck):
    """No more than a size is taken from all these guests together within a time."""

    check: Literal["taken_together_at_most"]
    size: SizeBytes
    within: DurationS

    def _judge(self, run: Recording) -> str | None:
        taken: list[tuple[float, int]] = []
        for command in self.commands(run):
            if command.target_bytes >= command.before_bytes:
                continue
            taken.append((command.at_s, command.before_bytes - command.target_bytes))
            lately = sum(much for at_s, much in taken if at_s > command.at_s - self.within)
            if lately > self.size:
                return f"{size(lately)} were taken from all together {at(command.at_s)}"
        return None


class PendingAtMost(GuestCheck):
    """No more than a size has been ordered back from a guest and not come yet."""

    check: Literal["pending_at_most"]
    size: SizeBytes

    def _judge(self, run: Recording) -> str | None:
        for at_s, name, instant in self.instants(run):
            pending = instant.actual_bytes - instant.target_bytes
            if pending > self.size:
                return f"{size(pending)} were under way from {name} {at(at_s)}"
        return None
