"""In which order arms run: shuffled within each repeat, and the guests booted anew in between."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aerostat.lab.experiment.policies import ADAPTIVE
from aerostat.lab.schedule import Schedule
from aerostat.lab.techniques.arms import TechniqueArm
from aerostat.lab.techniques.swap_speed import SwapSpeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """Guests booted once, with or without free page reporting, and the arms they are for."""

    reports_free_pages: bool
    # With the number of the repeat; None: the reference, guests with all their memory.
    arms: tuple[tuple[TechniqueArm | None, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniquePlan:
    """What runs."""

    schedule: Schedule
    boots: tuple[Boot, ...]
    swap_speed: SwapSpeed | None = None  # None: as fast as the disk is
    take_backs: int = 1  # repeats in which it is measured how fast memory is taken back
    take_back_s: float = 10.0  # and for how long it is watched
    take_back_kinds: int = 2  # free memory first, then cold, where guests have both
    give_s_max: float = 10.0  # and when they get it back
    # Who takes it back of guests with huge pages behind them as well, in this order.
    on_huge_pages: tuple[TechniqueArm, ...] = ()


def plan_techniques(
    schedule: Schedule, arms: Sequence[TechniqueArm], repeats: int, seed: int
) -> TechniquePlan:
    """Every arm once a repeat, each repeat in an order of its own: a drift favours nobody.

    So does the reference, on the guests that are booted first in a repeat.

    Whether a guest reports its free pages is settled when it boots, so each repeat boots twice, in
    alternating order, where arms of both kinds are asked for.
    """
    draw = random.Random(seed)
    boots = []
    for repeat in range(1, repeats + 1):
        kinds = sorted({arm.reports_free_pages for arm in arms}, reverse=repeat % 2 == 0)
        for number, kind in enumerate(kinds):
            turn: list[TechniqueArm | None] = [a for a in arms if a.reports_free_pages == kind]
            turn += [None] if number == 0 else []
            draw.shuffle(turn)
            boots.append(Boot(reports_free_pages=kind, arms=tuple((arm, repeat) for arm in turn)))
    return TechniquePlan(schedule=schedule, boots=_joined(boots))


def huge_page_arms(arms: Sequence[TechniqueArm], repeats: int) -> tuple[TechniqueArm, ...]:
    """Those that take memory by balloon, in turn; of guests that report nothing by themselves."""
    chosen = [replace(arm, reports_free_pages=False) for arm in arms if arm.policy == ADAPTIVE]
    return tuple(chosen * repeats)


def _joined(boots: Sequence[Boot]) -> tuple[Boot, ...]:
    """Boots of the same kind that follow each other are one."""
    joined: list[Boot] = []
    for boot in boots:
        if joined and joined[-1].reports_free_pages == boot.reports_free_pages:
            before = joined.pop().arms
            joined.append(Boot(reports_free_pages=boot.reports_free_pages, arms=before + boot.arms))
        else:
            joined.append(boot)
    return tuple(joined)
