"""Views for baselines, with defaults: say only what a test is about. Sizes in MiB."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aerostat.policy.baseline import Baseline, GuestsView, HostView
from aerostat.policy.columns import ABSENT
from aerostat.policy.params import PolicyName
from aerostat.policy.registry import BASELINES
from aerostat.units import MIB


def mib(value: float | None) -> int:
    return ABSENT if value is None else int(value * MIB)


@dataclass(kw_only=True)
class Guest:
    """One guest as a test tells it; ``None`` is absent."""

    min_mib: float | None = 1024
    max_mib: float | None = 4096
    actual_mib: float | None = 2048
    ordered_mib: float | None = None  # default: what it holds
    total_mib: float | None = None  # default: what it holds
    available_mib: float | None = 1024
    free_mib: float | None = None  # default: all that is available
    cache_mib: float | None = 0
    weight: int = 100
    swap_in_mib_s: float | None = None
    swap_out_mib_s: float | None = None
    pressure_some_s: float | None = None
    active_ratio: float | None = None
    is_movable: bool = True
    is_new_sample: bool = True
    sample_age_s: float | None = 1.0
    since_s: float | None = 0.0
    demand_mib: float | None = None
    next_demand_mib: float | None = None

    @property
    def holds_mib(self) -> float:
        return 0 if self.actual_mib is None else self.actual_mib


def host(
    *,
    now_s: float = 1000.0,
    total_mib: float | None = 8192,
    available_mib: float | None = 2048,
    supply_mib: float = 8192,
    free_mib: float | None = None,
    cache_mib: float | None = None,
) -> HostView:
    return HostView(
        now_s=now_s,
        total_bytes=mib(total_mib),
        supply_bytes=mib(supply_mib),
        available_bytes=mib(available_mib),
        free_bytes=mib(free_mib),
        cache_bytes=mib(cache_mib),
    )


def view(guests: Sequence[Guest]) -> GuestsView:
    def rates(values: Sequence[float | None]) -> list[float]:
        return [float(ABSENT) if value is None else value * MIB for value in values]

    def seconds(values: Sequence[float | None]) -> list[float]:
        return [float(ABSENT) if value is None else value for value in values]

    def first_known(*values: float | None) -> float | None:
        return next((value for value in values if value is not None), None)

    return GuestsView(
        min_bytes=[mib(g.min_mib) for g in guests],
        max_bytes=[mib(g.max_mib) for g in guests],
        weight=[g.weight for g in guests],
        ordered_bytes=[mib(first_known(g.ordered_mib, g.holds_mib)) for g in guests],
        actual_bytes=[mib(g.actual_mib) for g in guests],
        total_bytes=[mib(first_known(g.total_mib, g.actual_mib)) for g in guests],
        available_bytes=[mib(g.available_mib) for g in guests],
        free_bytes=[mib(first_known(g.free_mib, g.available_mib)) for g in guests],
        cache_bytes=[mib(g.cache_mib) for g in guests],
        swap_in_rate=rates([g.swap_in_mib_s for g in guests]),
        swap_out_rate=rates([g.swap_out_mib_s for g in guests]),
        pressure_some_s=seconds([g.pressure_some_s for g in guests]),
        active_ratio=seconds([g.active_ratio for g in guests]),
        is_movable=[int(g.is_movable) for g in guests],
        is_new_sample=[int(g.is_new_sample) for g in guests],
        sample_age_s=seconds([g.sample_age_s for g in guests]),
        since_s=seconds([g.since_s for g in guests]),
        demand_bytes=[mib(g.demand_mib) for g in guests],
        next_demand_bytes=[mib(g.next_demand_mib) for g in guests],
    )


class Asked:
    """One policy over the rounds of a test; it remembers what the policy remembers."""

    def __init__(self, name: PolicyName, *guests: Guest) -> None:
        self.baseline: Baseline[Any] = BASELINES[name]
        self.guests = list(guests)
        self.memory = self.baseline.new_memory(len(guests))

    def targets(self, at: HostView | None = None) -> list[int]:
        """Ask once; targets in bytes."""
        out = [0] * len(self.guests)
        self.baseline.decide(host() if at is None else at, view(self.guests), self.memory, out)
        return out

    def targets_mib(self, at: HostView | None = None) -> list[float]:
        """Ask once; targets in MiB."""
        return [target / MIB for target in self.targets(at)]

    def obeyed(self, at: HostView | None = None) -> list[float]:
        """Ask once, and let the guests follow at once; targets in MiB."""
        targets = self.targets_mib(at)
        for guest, target in zip(self.guests, targets, strict=True):
            guest.actual_mib = guest.ordered_mib = target
        return targets
