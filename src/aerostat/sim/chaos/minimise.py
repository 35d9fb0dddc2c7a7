"""From a failing seed to the few happenings that it takes."""

from collections.abc import Callable, Sequence

from aerostat.sim.chaos.chaos_hour import run_story
from aerostat.sim.chaos.happen import Happening
from aerostat.sim.chaos.rules import NOT_CONVERGED, RESTLESS, STARVED
from aerostat.sim.chaos.story import Story

AT_REST = frozenset({NOT_CONVERGED, STARVED, RESTLESS})
"""These are judged after the chaos; all others show in the chaos itself."""


def minimise(story: Story, rule: int) -> tuple[Happening, ...]:
    """Drop happenings, in ever smaller pieces, as long as the rule is still broken."""

    def is_broken(told: Sequence[Happening]) -> bool:
        outcome = run_story(story, happenings=tuple(told), settles=rule in AT_REST)
        return any(violation.rule == rule for violation in outcome.violations)

    return tuple(smallest(story.happenings, is_broken))


def smallest(
    whole: Sequence[Happening], is_broken: Callable[[Sequence[Happening]], bool]
) -> list[Happening]:
    """The whole without every piece that it does not take."""
    left = list(whole)
    size = max(1, len(left) // 2)
    while size >= 1:
        at = 0
        while at < len(left):
            without = left[:at] + left[at + size :]
            if is_broken(without):
                left = without
            else:
                at += size
        size //= 2
    return left
