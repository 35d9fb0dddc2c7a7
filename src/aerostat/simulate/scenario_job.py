"""A scenario under one policy, as a job: the daemon's own loop on simulated guests."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aerostat.policy.params import PolicyName
from aerostat.sim.scenario.recording import GuestInstant, Recording
from aerostat.sim.scenario.run import Verdict, params_of, play
from aerostat.sim.scenario.tables import Scenario
from aerostat.simulate.scenario_scores import is_starved, latencies_s, recoveries_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """What came of it; counters over all guests."""

    checks: int
    failures: dict[str, str]  # checks that did not hold, and why
    failed_rounds: tuple[str, ...]
    offered: int
    operations: int
    starved_s: int  # guest seconds in which less than 90 % of the requests were served
    swap_in_bytes: int
    swap_out_bytes: int
    oom_kills: int
    churn_bytes: int
    stalled_s: float
    digest: str
    host_swap_in_bytes: int
    host_swap_out_bytes: int
    latencies_s: tuple[float, ...]  # p50 and p99; empty where no request was served
    recoveries_s: tuple[int, ...]  # of those that recovered, how long each took
    series: "ScenarioSeries | None"

    @property
    def served_ratio(self) -> float | None:
        """Of the requests that came; ``None`` where none did."""
        return self.operations / self.offered if self.offered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSeries:
    """Guests seen from time to time, for plots; absent while one is not there."""

    elapsed_s: list[float]
    guests: dict[str, dict[str, list[int | None]]]  # by name: actual, target, held


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioJob:
    """A scenario and who decides in it."""

    scenario: Scenario
    policy: PolicyName
    seed: int | None = None  # in place of the scenario's own
    looks: int = 0  # written down for plots

    def run(self) -> ScenarioResult:
        """Play it; the same job gives the same result."""
        verdict = self.played()
        return _result(self.scenario, verdict.recording, verdict.failures, self.looks)

    def played(self) -> Verdict:
        """The whole run, with every round of it."""
        scenario = self.scenario
        if self.seed is not None:
            scenario = scenario.model_copy(update={"seed": self.seed})
        params = params_of(scenario)
        if self.policy is not PolicyName.ADAPTIVE:
            # Others run under their own rules, without our guard.
            params = replace(params, policy=self.policy, is_guarded=False)
        return play(scenario, params)


def _result(
    scenario: Scenario, recording: Recording, failures: dict[str, str], looks: int
) -> ScenarioResult:
    lasts = [tuple(recording.of_guest(name)) for name in recording.names]
    ends = [looks[-1][1] for looks in lasts if looks]
    seconds = recording.seconds
    last = recording.instants[-1] if recording.instants else None
    return ScenarioResult(
        checks=len(scenario.must),
        failures=failures,
        failed_rounds=tuple(recording.failures),
        offered=sum(second.offered for second in seconds),
        operations=sum(second.served for second in seconds),
        starved_s=sum(is_starved(second) for second in seconds),
        swap_in_bytes=sum(end.swap_in_bytes for end in ends),
        swap_out_bytes=sum(end.swap_out_bytes for end in ends),
        oom_kills=sum(end.oom_kills for end in ends),
        churn_bytes=sum(_churn_bytes(looks) for looks in lasts),
        stalled_s=sum(end.stalled_s for end in ends),
        digest=_digest(recording),
        host_swap_in_bytes=last.host_swap_in_bytes if last else 0,
        host_swap_out_bytes=last.host_swap_out_bytes if last else 0,
        latencies_s=tuple(latencies_s(seconds, (0.5, 0.99))),
        recoveries_s=tuple(recoveries_s(recording)),
        series=_series(recording, looks) if looks else None,
    )


def _series(recording: Recording, looks: int) -> ScenarioSeries:
    instants = recording.instants[:: max(1, -(-len(recording.instants) // looks))]
    guests: dict[str, dict[str, list[int | None]]] = {}
    for name in recording.names:
        seen = [instant.guests.get(name) for instant in instants]
        guests[name] = {
            column: [None if one is None else getattr(one, column) for one in seen]
            for column in ("actual_bytes", "target_bytes", "held_bytes")
        }
    return ScenarioSeries(elapsed_s=[instant.at_s for instant in instants], guests=guests)


def _churn_bytes(looks: Sequence[tuple[float, GuestInstant]]) -> int:
    sizes = [look.actual_bytes for _, look in looks]
    return sum(abs(after - before) for before, after in pairwise(sizes))


def _digest(recording: Recording) -> str:
    """Stands for every command and every look at every guest."""
    digest = hashlib.sha256()
    for command in recording.commands:
        digest.update(repr(command).encode())
    for instant in recording.instants:
        digest.update(repr((instant.at_s, sorted(instant.guests.items()))).encode())
    return digest.hexdigest()[:16]
