"""The demo's shape: how arms fit into the time there is, and other numbers of guests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aerostat.lab.experiment.comparison import LEAD_IN_S, RESET_S, ComparisonPlan
from aerostat.lab.experiment.policies import ADAPTIVE, STATIC
from aerostat.lab.schedule import PhasePlan, Schedule

PHASE_S_MIN = 6.0
PHASE_S_MAX = 15.0


def plan_demo(schedule: Schedule, seconds: float) -> ComparisonPlan:
    """Fit arms into so many seconds: longer phases first, then repeats in alternating order."""
    once = ComparisonPlan(name="demo", schedule=schedule, order=_order(1))
    fixed_s = once.total_s - 2 * schedule.duration_s
    wanted_s = max(0.0, seconds - fixed_s)
    phases = len(schedule.phases)
    repeats = max(1, int(wanted_s / (2 * (phases * PHASE_S_MAX + RESET_S + LEAD_IN_S))))
    left_s = wanted_s - (repeats - 1) * 2 * (RESET_S + LEAD_IN_S)
    phase_s = min(PHASE_S_MAX, max(PHASE_S_MIN, left_s / (2 * repeats * phases)))
    scaled = schedule.scaled(int(phase_s) * phases / schedule.duration_s)
    return ComparisonPlan(name="demo", schedule=scaled, order=_order(repeats))


def _order(repeats: int) -> tuple[tuple[str, int], ...]:
    """Arms in turn, the other way round in every second repeat: a drift then favours nobody."""
    arms: list[tuple[str, int]] = []
    for repeat in range(1, repeats + 1):
        pair = [STATIC, ADAPTIVE] if repeat % 2 else [ADAPTIVE, STATIC]
        arms.extend((policy, repeat) for policy in pair)
    return tuple(arms)


def with_guests(schedule: Schedule, count: int) -> Schedule:
    """The same shape for another number of guests: one is big at a time, each in its turn.

    The budget keeps its share of a guest: 900 MiB for three are 300 MiB for each.
    """
    if count == len(schedule.guests):
        return schedule
    template = schedule.guests[0]
    names = [guest.name for guest in schedule.guests][:count]
    names += [f"guest{number}" for number in range(len(names) + 1, count + 1)]
    sizes = sorted(schedule.phases[0].hot_bytes.values())
    phase_s = schedule.phases[0].duration_s
    return replace(
        schedule,
        budget_bytes=schedule.budget_bytes // len(schedule.guests) * count,
        guests=tuple(replace(template, name=name) for name in names),
        phases=tuple(
            PhasePlan(duration_s=phase_s, hot_bytes=_one_big(names, big, sizes)) for big in names
        ),
    )


def _one_big(names: Sequence[str], big: str, sizes: Sequence[int]) -> Mapping[str, int]:
    return {name: sizes[-1] if name == big else sizes[0] for name in names}
