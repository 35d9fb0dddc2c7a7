"""Runs everything that was asked for, and gathers what came of it in a fixed order."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.tournament import ArmResult, run_arms
from aerostat.sim.workers import Crew
from aerostat.simulate.scenario_job import ScenarioJob, ScenarioResult
from aerostat.simulate.worlds import FleetWorlds, ScenarioWorld, World

Progress = Callable[[str, float], None]
"""Told what is being run, and which share of it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioArm:
    """A scenario, who decided, and what came of it."""

    policy: PolicyName
    seed: int
    result: ScenarioResult


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldResult:
    """A world and its arms; of the one kind or the other."""

    world: World
    fleets: tuple[ArmResult, ...] = ()
    scenarios: tuple[ScenarioArm, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """Of its arms in their order."""
        return (
            *(arm.summary.digest for arm in self.fleets),
            *(arm.result.digest for arm in self.scenarios),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """All worlds, in the order they were named."""

    worlds: tuple[WorldResult, ...]

    @property
    def digest(self) -> str:
        """Stands for every result: equal digests, equal results."""
        digest = hashlib.sha256()
        for world in self.worlds:
            digest.update(" ".join((world.world.name, *world.digests)).encode() + b"\n")
        return digest.hexdigest()[:16]


def run_contest(
    worlds: Sequence[World], seeds: Sequence[int] | None, crew: Crew, progress: Progress
) -> Contest:
    """Run all arms of all worlds.

    Args:
        worlds: in the order of the results.
        seeds: of scenarios, in place of their own.
        crew: who runs them; decides nothing about results.
        progress: is told how far it is.

    Raises:
        TraceError: a trace has fewer VMs than a host takes.
        ClusterError: the cluster gave up.
    """
    return Contest(worlds=tuple(_run(world, seeds, crew, progress) for world in worlds))


def _run(world: World, seeds: Sequence[int] | None, crew: Crew, progress: Progress) -> WorldResult:
    def done(ratio: float) -> None:
        progress(world.name, ratio)

    done(0.0)
    if isinstance(world, FleetWorlds):
        return WorldResult(world=world, fleets=tuple(run_arms(world.arms, crew, done=done)))
    return WorldResult(world=world, scenarios=_play(world, seeds, crew, done))


def _play(
    world: ScenarioWorld,
    seeds: Sequence[int] | None,
    crew: Crew,
    done: Callable[[float], None],
) -> tuple[ScenarioArm, ...]:
    jobs = [
        ScenarioJob(scenario=world.scenario, policy=policy, seed=seed, looks=world.looks)
        for seed in (seeds or (None,))
        for policy in world.policies
    ]
    arms = []
    for job, result in zip(jobs, crew.results(jobs), strict=True):
        seed = world.scenario.seed if job.seed is None else job.seed
        arms.append(ScenarioArm(policy=job.policy, seed=seed, result=result))
        done(len(arms) / len(jobs))
    return tuple(arms)
