"""One seed from its first tick to the verdict."""

import copy
from dataclasses import dataclass

from aerostat.policy.columns import IntColumn
from aerostat.sim.chaos.columns import World
from aerostat.sim.chaos.happen import Happening
from aerostat.sim.chaos.run import Runner, Violation, violations_of
from aerostat.sim.chaos.settle import (
    SETTLE_S,
    WATCHED_S,
    calming,
    faults_off,
    fresh_start,
    judge_rest,
)
from aerostat.sim.chaos.story import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one seed."""

    seed: int
    guest_hours: float  # of guests that were there, the fresh start not counted
    violations: tuple[Violation, ...]


def run_story(
    story: Story,
    *,
    how: str = "compiled",
    happenings: tuple[Happening, ...] | None = None,
    settles: bool = True,
) -> Outcome:
    """Run a story: chaos, then faults off; then compare with a fresh start of the same world.

    Args:
        story: what ``story_of`` drew; it is not changed.
        how: ``compiled``, ``interpreted``, or ``step``: through the engine's front door.
        happenings: other ones than the story's own, to find out which of them matter.
        settles: whether the faults end; without, only the chaos itself is judged.
    """
    told = story.happenings if happenings is None else happenings
    runner = Runner(copy.deepcopy(story.world), how=how)
    hours = _played(runner, told, story.ticks)
    if settles:
        faults_off(runner.world)
        hours += _settle(runner, calming(runner.world))
    return Outcome(seed=story.seed, guest_hours=hours, violations=violations_of(runner.world))


def _settle(runner: Runner, calmed: tuple[Happening, ...]) -> float:
    tick_s = runner.world.tick_s
    rest, watched = int((SETTLE_S - WATCHED_S) / tick_s), int(WATCHED_S / tick_s)
    hours = _played(runner, calmed, rest)
    fresh = Runner(fresh_start(runner.world), how=runner.how)
    before, began = _column(runner.world.watch.moved_in_all_bytes), _actual(runner.world)
    killed = sum(_column(runner.world.guests.oom_kills))
    hours += _played(runner, (), watched)
    fresh.play((), rest + watched)
    moved, ended = _column(runner.world.watch.moved_in_all_bytes), _actual(runner.world)
    to_and_fro = [
        after - earlier - abs(end - begin)
        for after, earlier, end, begin in zip(moved, before, ended, began, strict=True)
    ]
    is_calm = sum(_column(runner.world.guests.oom_kills)) == killed
    judge_rest(runner.world, fresh.world, to_and_fro if is_calm else [], runner.tick)
    return hours


def _actual(world: World) -> list[int]:
    return _column(world.guests.actual_bytes)


def _column(column: IntColumn) -> list[int]:
    return [int(value) for value in column]


def _played(runner: Runner, happenings: tuple[Happening, ...], ticks: int) -> float:
    """Play, and return the guest-hours that this was, by who was there at the end."""
    runner.play(happenings, ticks)
    here = sum(int(is_here) for is_here in runner.world.guests.is_here)
    return here * ticks * runner.world.tick_s / 3600.0
