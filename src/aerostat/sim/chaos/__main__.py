"""``python -m aerostat.sim.chaos``: repeat one seed, or run a swarm of them."""

import argparse
import sys
import time

from aerostat.sim.chaos.chaos_hour import run_story
from aerostat.sim.chaos.minimise import minimise
from aerostat.sim.chaos.story import story_of
from aerostat.sim.chaos.swarm import run_swarm
from aerostat.sim.chaos.words import describe, happening_line, sentence, summary


def main() -> int:
    """Run as asked; the exit status is 1 where a rule was broken."""
    asked = _arguments()
    if asked.seed is None:
        return _swarm(asked.guest_hours, asked.first_seed, asked.how)
    return _one(asked.seed, asked.how, is_minimised=asked.minimise)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="aerostat.sim.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat this one")
    parser.add_argument("--minimise", action="store_true", help="find what it takes to fail")
    parser.add_argument("--guest-hours", type=float, default=500.0, help="size of a swarm")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--how",
        choices=("compiled", "interpreted", "step"),
        default="compiled",
        help="step: through engine.step, objects and all; the others over columns, faster",
    )
    return parser.parse_args()


def _one(seed: int, how: str, *, is_minimised: bool) -> int:
    story = story_of(seed)
    _say(summary(story))
    outcome = run_story(story, how=how)
    for violation in outcome.violations:
        _say(sentence(violation))
    if is_minimised:
        for rule in sorted({violation.rule for violation in outcome.violations}):
            least = minimise(story, rule)
            broken = next(v for v in outcome.violations if v.rule == rule)
            _say("it takes:", *(happening_line(one) for one in least), f"for: {sentence(broken)}")
    return 1 if outcome.violations else 0


def _swarm(guest_hours: float, first_seed: int, how: str) -> int:
    began_s = time.perf_counter()
    result = run_swarm(guest_hours=guest_hours, first_seed=first_seed, how=how)
    took_s = time.perf_counter() - began_s
    for failure in result.failures:
        _say(describe(failure))
    _say(
        f"{result.guest_hours:.0f} guest-hours in {result.seeds} seeds, {took_s:.0f} s: "
        f"{len(result.failures)} seeds failed"
    )
    return 1 if result.failures else 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
