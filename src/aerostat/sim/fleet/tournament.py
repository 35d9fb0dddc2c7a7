"""Many arms, policies on worlds, over the machine's cores: the same results in any order."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from aerostat.policy.params import PolicyName
from aerostat.sim.fleet.run import run_policy
from aerostat.sim.fleet.summary import Summary, summary_of
from aerostat.sim.fleet.synthetic import synthetic_trace
from aerostat.sim.fleet.trace import Draw, Trace, drawn_world, read_trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where demand comes from: a file, or a synthetic fleet."""

    path: Path | None = None
    seed: int = 0  # of the synthetic fleet
    vms: int = 0
    samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One policy on one world."""

    source: Source
    policy: PolicyName
    draw: Draw
    overcommit_ratio: float
    tick_s: float = 10.0
    is_compiled: bool = True


def run_arms(
    arms: Sequence[Arm], *, workers: int, done: Callable[[int], None] | None = None
) -> list[Summary]:
    """Run all arms.

    Args:
        arms: in any order; each is a run of its own.
        workers: processes; 1 runs everything in this one.
        done: is told how many arms are finished, as they are.

    Returns:
        A summary for each arm, in the order of the arms, whatever the number of workers.

    Raises:
        TraceError: a source cannot be used.
    """
    if workers == 1:
        return _noted(map(run_arm, arms), done)
    # Spawned: a compiler's threads and locks do not survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return _noted(pool.map(run_arm, arms), done)


def run_arm(arm: Arm) -> Summary:
    """Run one arm."""
    world = drawn_world(
        trace_of(arm.source),
        arm.draw,
        overcommit_ratio=arm.overcommit_ratio,
        tick_s=arm.tick_s,
    )
    return summary_of(world, run_policy(world, arm.policy, is_compiled=arm.is_compiled))


@cache
def trace_of(source: Source) -> Trace:
    """The trace of a source; every process reads or makes it once."""
    if source.path is not None:
        return read_trace(source.path)
    return synthetic_trace(seed=source.seed, vms=source.vms, samples=source.samples)


def _noted(runs: Iterable[Summary], done: Callable[[int], None] | None) -> list[Summary]:
    summaries: list[Summary] = []
    for summary in runs:
        summaries.append(summary)
        if done is not None:
            done(len(summaries))
    return summaries
