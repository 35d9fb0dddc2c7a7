"""Many seeds over several processes, until so many guest-hours have passed."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from aerostat.sim.chaos.chaos_hour import Outcome, run_story
from aerostat.sim.chaos.loops import compiled_loop
from aerostat.sim.chaos.run import Runner
from aerostat.sim.chaos.story import story_of

SEEDS_A_TASK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmResult:
    """What a swarm came to."""

    seeds: int
    guest_hours: float
    failures: tuple[Outcome, ...]


def run_seeds(seeds: tuple[int, ...], how: str) -> tuple[Outcome, ...]:
    """Run some seeds, one after the other."""
    return tuple(run_story(story_of(seed), how=how) for seed in seeds)


def run_swarm(
    *, guest_hours: float, first_seed: int = 0, how: str = "compiled", processes: int | None = None
) -> SwarmResult:
    """Run seeds from ``first_seed`` on until they make up ``guest_hours``."""
    if how == "compiled":
        _compile()  # once, before there are several to do it
    seeds, hours, failures = 0, 0.0, list[Outcome]()
    workers = processes or len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(max_workers=workers) as pool:
        tasks = _batches(first_seed)
        running = [pool.submit(run_seeds, next(tasks), how) for _ in range(2 * workers)]
        # Results are taken in the order of seeds, so that the same hours are the same seeds.
        while hours < guest_hours:
            done = running.pop(0).result()
            running.append(pool.submit(run_seeds, next(tasks), how))
            seeds += len(done)
            hours += sum(outcome.guest_hours for outcome in done)
            failures += [outcome for outcome in done if outcome.violations]
        pool.shutdown(cancel_futures=True)
    return SwarmResult(seeds=seeds, guest_hours=hours, failures=tuple(failures))


def _batches(first_seed: int) -> Iterator[tuple[int, ...]]:
    while True:
        yield tuple(range(first_seed, first_seed + SEEDS_A_TASK))
        first_seed += SEEDS_A_TASK


def _compile() -> None:
    compiled_loop()
    Runner(story_of(0, chaos_s=10.0).world).play((), 1)
