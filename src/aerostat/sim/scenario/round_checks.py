"""Checks on what the controller said and knew."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator

from aerostat.config.values import DurationS, choice
from aerostat.model.effect import Effect
from aerostat.model.host_state import LadderStep
from aerostat.model.plan import GuestTrace
from aerostat.model.reasons import Reason
from aerostat.sim.scenario.check import Check, GuestCheck, at
from aerostat.sim.scenario.recording import Recording

AReason = Annotated[Reason, BeforeValidator(choice(Reason))]


class _TraceCheck(GuestCheck):
    def traces(self, run: Recording, name: str) -> list[tuple[float, GuestTrace]]:
        """What every round in the window said of a guest."""
        return [
            (record.snapshot.now_s, trace)
            for record in run.rounds
            if self.is_within(record.snapshot.now_s)
            for trace in record.trace.guests
            if trace.name == name
        ]


class ReasonSeen(_TraceCheck):
    """A round gave this reason for each of these guests."""

    check: Literal["reason_seen"]
    reason: AReason

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            if all(trace.reason is not self.reason for _, trace in self.traces(run, name)):
                return f'no round said "{self.reason}" of {name}'
        return None


class ReasonNever(_TraceCheck):
    """No round gave this reason for any of these guests."""

    check: Literal["reason_never"]
    reason: AReason

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            for at_s, trace in self.traces(run, name):
                if trace.reason is self.reason:
                    return f'the round {at(at_s)} said "{self.reason}" of {name}'
        return None


class DoubtSeen(_TraceCheck):
    """A round showed that the host measures much more than the guest says it holds."""

    check: Literal["doubt_seen"]

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            if not any(trace.is_doubted for _, trace in self.traces(run, name)):
                return f"{name} was never doubted"
        return None


class FiguresAgeShown(_TraceCheck):
    """Rounds showed figures of each of these guests to be so old, or to be absent."""

    check: Literal["figures_age_shown"]
    age: DurationS

    def _judge(self, run: Recording) -> str | None:
        for name in self.names(run):
            ages = [trace.figures_age_s for _, trace in self.traces(run, name)]
            if not any(age is None or age >= self.age for age in ages):
                return f"the figures of {name} were always shown as fresh"
        return None


class LadderSeen(Check):
    """A round named this step of the host's ladder as due."""

    check: Literal["ladder_seen"]
    step: Annotated[LadderStep, BeforeValidator(choice(LadderStep))]

    def _judge(self, run: Recording) -> str | None:
        for record in run.rounds:
            if self.is_within(record.snapshot.now_s) and self.step in record.trace.host.allowed:
                return None
        return f'no round named "{self.step}"'


class EffectSeen(Check):
    """The last round of the window said this of the daemon's own effect."""

    check: Literal["effect_seen"]
    effect: Annotated[Effect, BeforeValidator(choice(Effect))]

    def _judge(self, run: Recording) -> str | None:
        rounds = [r for r in run.rounds if self.is_within(r.snapshot.now_s)]
        if not rounds:
            return "there were no rounds"
        found = rounds[-1].trace.host.effect
        if found is not self.effect:
            return f'it ended with "{found}", not "{self.effect}"'
        return None


class RoundsAtLeastEvery(Check):
    """Rounds go on: no longer than so long between two."""

    check: Literal["rounds_at_least_every"]
    gap: DurationS

    def _judge(self, run: Recording) -> str | None:
        times = [r.snapshot.now_s for r in run.rounds if self.is_within(r.snapshot.now_s)]
        if len(times) < 2:
            return "there were no rounds"
        gaps = [now - before for before, now in pairwise(times)]
        worst = max(gaps)
        return None if worst <= self.gap else f"{worst:.1f} s passed between two rounds"
