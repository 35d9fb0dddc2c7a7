"""A schedule: which guests there are and how their working sets shift, the same for every arm."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from aerostat.lab.machine import MachineSpec, WorkloadSpec
from aerostat.lab.machine.spec import Keep, SwapKind
from aerostat.units import MIB

# What a guest of this image needs above its hot set: kernel, page tables, reserves.
SYSTEM_BYTES = 72 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPlan:
    """One guest of a schedule."""

    name: str
    ram_bytes: int
    keep: Keep
    swap: SwapKind
    swap_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePlan:
    """A stretch in which every guest's hot set stays the same."""

    duration_s: float
    hot_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A whole run: guests, what they do, and what they are to share."""

    name: str
    seed: int
    rate: int  # requests a second, offered to every guest
    slo_s: float
    budget_bytes: int
    compressible_percent: int
    identical_percent: int
    warm_up_s: float  # for each guest's turn at its biggest
    settle_s: float  # after the warm-up, at the first phase's hot sets
    guests: tuple[GuestPlan, ...]
    phases: tuple[PhasePlan, ...]

    @property
    def duration_s(self) -> float:
        """How long the phases take, without warm-up."""
        return sum(phase.duration_s for phase in self.phases)

    def warm_up(self) -> tuple[PhasePlan, ...]:
        """Every guest big once, so that no arm measures the first touch of its memory."""
        ordered = {
            guest.name: sorted(phase.hot_bytes[guest.name] for phase in self.phases)
            for guest in self.guests
        }
        smallest = {name: sizes[0] for name, sizes in ordered.items()}
        turns = tuple(
            PhasePlan(duration_s=self.warm_up_s, hot_bytes={**smallest, name: sizes[-1]})
            for name, sizes in ordered.items()
        )
        return (*turns, PhasePlan(duration_s=self.settle_s, hot_bytes=self.phases[0].hot_bytes))

    def scaled(self, factor: float) -> "Schedule":
        """Return the same schedule with phases that last ``factor`` times as long."""
        phases = tuple(
            replace(phase, duration_s=phase.duration_s * factor) for phase in self.phases
        )
        return replace(self, phases=phases)

    def machine_specs(
        self, accelerator: Literal["kvm", "tcg"], *, reports_free_pages: bool = False
    ) -> tuple[MachineSpec, ...]:
        """Describe the machines, ready for the first phase; each guest has a seed of its own."""
        return tuple(
            MachineSpec(
                name=guest.name,
                ram_bytes=guest.ram_bytes,
                accelerator=accelerator,
                swap=guest.swap,
                swap_bytes=guest.swap_bytes,
                free_page_reporting=reports_free_pages,
                workload=WorkloadSpec(
                    hot_bytes=self.phases[0].hot_bytes[guest.name],
                    rate=self.rate,
                    keep=guest.keep,
                    seed=self.seed + index,
                    compressible_percent=self.compressible_percent,
                    identical_percent=self.identical_percent,
                ),
            )
            for index, guest in enumerate(self.guests)
        )

    def as_world(self) -> dict[str, object]:
        """Write it as the ``world`` of a result document."""
        return asdict(self)
