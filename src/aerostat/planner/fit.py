"""How many fit: the greatest number whose risk is within bounds, and how sure that is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aerostat.planner.ballooned import ballooned_costs
from aerostat.planner.costs import Costs
from aerostat.planner.hosts import Hosts
from aerostat.planner.question import Question, Technique
from aerostat.planner.uncooperative import MOST_GUESTS, filled, uncooperative_costs

CURVE_POINTS = (0.4, 0.6, 0.75, 0.9, 1.0)
"""Where the simulator is asked, as shares of what a host without delays could take."""

CLOSE_DIVISOR = 20
"""A twentieth is near enough: between two numbers so close risks rise in straight lines."""

Measure = Callable[[int], Costs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What was found for a technique on the training part."""

    technique: Technique
    guests: int
    guests_least: int  # 5 % of resamples fit less
    guests_most: int  # 5 % fit more
    curve: Mapping[int, Costs]  # what was measured, by guests a host


def costs_of(hosts: Hosts, guests: int, technique: Technique, question: Question) -> Costs:
    """What so many guests a host cost."""
    if technique.is_ballooned:
        return ballooned_costs(hosts, guests, technique, question)
    if technique is Technique.RESERVED:
        return _without_risk(uncooperative_costs(hosts, guests, technique, question))
    return uncooperative_costs(hosts, guests, technique, question)


def fit_of(
    hosts: Hosts, technique: Technique, question: Question, *, told: Callable[[], None]
) -> Fit:
    """Find how many fit.

    Args:
        hosts: drawn from resamples of the training part.
        technique: how memory is shared.
        question: with the bounds.
        told: is called after every measurement.
    """
    if technique is Technique.RESERVED:
        return _filled(hosts, question)
    measured: dict[int, Costs] = {}

    def measure(guests: int) -> Costs:
        if guests not in measured:
            measured[guests] = costs_of(hosts, guests, technique, question)
            told()
        return measured[guests]

    if technique.is_ballooned:
        _measure_curve(measure, _bound(hosts, technique, question), question)
    else:
        _search(measure, question)
    count = int(hosts.resample.max()) + 1
    fits = [
        _fitting({n: c.of(hosts.resample == one) for n, c in measured.items()}, question)
        for one in range(count)
    ]
    guests = _fitting(measured, question)
    while guests > 0 and not is_within(measure(guests), question):
        guests -= max(1, guests // 50)  # risk did not rise in a straight line
    return Fit(
        technique=technique,
        guests=guests,
        # All resamples together bear the risk of their worst: the range has to hold that number.
        guests_least=min(guests, int(np.floor(np.percentile(fits, 5)))),
        guests_most=max(guests, int(np.ceil(np.percentile(fits, 95)))),
        curve=dict(sorted(measured.items())),
    )


def _filled(hosts: Hosts, question: Question) -> Fit:
    """Hosts are filled until the next VM does not fit: then there is nothing to measure."""
    taken = filled(hosts, question)
    means = [taken[hosts.resample == one].mean() for one in range(int(hosts.resample.max()) + 1)]
    guests = int(taken.mean())
    return Fit(
        technique=Technique.RESERVED,
        guests=guests,
        guests_least=int(np.floor(np.percentile(means, 5))),
        guests_most=int(np.ceil(np.percentile(means, 95))),
        curve={max(1, guests): costs_of(hosts, max(1, guests), Technique.RESERVED, question)},
    )


def _without_risk(costs: Costs) -> Costs:
    """Its memory is there for every VM that was let in."""
    nothing = np.zeros_like(costs.short_byte_s)
    return Costs(
        short_byte_s=nothing,
        wanted_byte_s=costs.wanted_byte_s,
        pressed_s=nothing,
        compressed_byte_s=nothing,
        resident_byte_s=costs.resident_byte_s,
        hour_s=costs.hour_s,
    )


def is_within(costs: Costs, question: Question) -> bool:
    """Whether the risk is."""
    return (
        costs.unmet_ratio <= question.unmet_ratio_max
        and costs.pressed_ratio <= question.pressed_ratio_max
    )


def _bound(hosts: Hosts, technique: Technique, question: Question) -> int:
    """What would fit if memory moved in no time: only what all want together can be too much."""
    relief = question.relief_bytes if technique.is_compressing else 0
    supply = question.supply_bytes + relief

    def is_within_then(guests: int) -> bool:
        used = hosts.window(hosts.part.used_bytes, guests).sum(axis=1)
        short = np.maximum(0, used - supply).sum()
        return bool(short <= question.unmet_ratio_max * used.sum())

    return _greatest(is_within_then)


def _measure_curve(measure: Measure, bound: int, question: Question) -> None:
    for share in CURVE_POINTS:
        measure(max(1, round(share * bound)))
    _close_in(measure, max(1, round(CURVE_POINTS[0] * bound)), question)


def _close_in(measure: Measure, least: int, question: Question) -> None:
    """Where even the least of the curve is too many, look for the bound below it.

    What binds may be something else than what all want together: mins, floors, pressure.
    """
    low = high = least
    while low > 1 and not is_within(measure(low), question):
        low, high = low // 2, low
    while high - low > max(1, low // CLOSE_DIVISOR):
        middle = (low + high) // 2
        if is_within(measure(middle), question):
            low = middle
        else:
            high = middle


def _search(measure: Measure, question: Question) -> None:
    """Close in on the bound, and look on both sides of it for the sake of the resamples."""
    found = _greatest(lambda guests: is_within(measure(guests), question))
    for share in (0.6, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2, 1.3, 1.5):
        measure(max(1, min(MOST_GUESTS, round(share * found))))
    measure(max(1, found))
    measure(min(MOST_GUESTS, found + 1))


def _greatest(holds: Callable[[int], bool]) -> int:
    """The greatest number for which it holds; 0: not even for 1."""
    low, high = 0, 1
    while high <= MOST_GUESTS and holds(high):
        low, high = high, 2 * high
    high = min(high, MOST_GUESTS + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def _fitting(curve: Mapping[int, Costs], question: Question) -> int:
    """Between what was measured, risks are taken to rise in straight lines."""
    numbers = sorted(curve)
    risks = [
        max(
            curve[n].unmet_ratio / max(question.unmet_ratio_max, 1e-12),
            curve[n].pressed_ratio / max(question.pressed_ratio_max, 1e-12),
        )
        for n in numbers
    ]
    # More guests are never less risk: what says so is chance.
    risks = list(np.maximum.accumulate(risks))
    if risks[0] > 1:
        return 0 if numbers[0] == 1 else int(numbers[0] / risks[0])
    fitting = numbers[0]
    for before, after, low, high in zip(numbers, numbers[1:], risks, risks[1:], strict=False):
        if high <= 1:
            fitting = after
            continue
        fitting = before + int((after - before) * (1 - low) / (high - low))
        break
    return fitting
