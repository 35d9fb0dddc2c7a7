"""A violation in words, with the one command that repeats it."""

from aerostat.policy.columns import ABSENT
from aerostat.sim.chaos.chaos_hour import Outcome
from aerostat.sim.chaos.happen import Happening, id_of
from aerostat.sim.chaos.rules import WORDS
from aerostat.sim.chaos.run import Violation
from aerostat.sim.chaos.story import Story

SHOWN_MAX = 5


def command_of(seed: int) -> str:
    """What repeats this seed."""
    return f"python -m aerostat.sim.chaos --seed {seed}"


def describe(outcome: Outcome) -> str:
    """A failed seed in a few lines."""
    lines = [f"seed {outcome.seed}; repeat it with: {command_of(outcome.seed)} --minimise"]
    lines += [f"  {sentence(violation)}" for violation in outcome.violations[:SHOWN_MAX]]
    more = len(outcome.violations) - SHOWN_MAX
    return "\n".join([*lines, f"  and {more} more"] if more > 0 else lines)


def sentence(violation: Violation) -> str:
    """One violation."""
    who = "" if violation.guest is None else f"{id_of(violation.guest)}: "
    amounts = f"found {violation.found}, allowed {violation.allowed}"
    if ABSENT in (violation.found, violation.allowed):
        amounts = "figures absent"
    return f"tick {violation.tick}: {who}{WORDS[violation.rule]} ({amounts})"


def happening_line(happening: Happening) -> str:
    """One thing that happened."""
    return f"  tick {happening.tick}: {happening.kind} {id_of(happening.guest)} {happening.amount}"


def summary(story: Story) -> str:
    """How big a seed's world is."""
    return (
        f"seed {story.seed}: {len(story.world.guests.is_here)} guests, "
        f"{len(story.happenings)} happenings in {story.ticks} ticks of {story.world.tick_s:g} s"
    )
