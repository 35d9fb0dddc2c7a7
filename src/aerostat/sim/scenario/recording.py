"""What a run wrote down: the guests' and the host's truth, every command, every round."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aerostat.ports.journal import RoundRecord
from aerostat.sim.seconds import WorkloadSecond


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestInstant:
    """One guest at one instant, as it really is; counters since its boot."""

    target_bytes: int
    actual_bytes: int
    held_bytes: int  # by the host's own measure, in RAM or in its swap
    oom_kills: int
    swap_in_bytes: int
    swap_out_bytes: int
    stalled_s: float  # its workload waited for memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """Everybody at one instant."""

    at_s: float
    guests: Mapping[str, GuestInstant]
    available_bytes: int  # of the host
    host_swap_in_bytes: int
    over_bytes: int  # needed beyond the host's RAM and swap: somebody would be killed
    host_swap_out_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A target that a controller sent."""

    at_s: float
    guest: str
    before_bytes: int
    target_bytes: int


@dataclass(slots=True, kw_only=True)
class Recording:
    """Everything one run wrote down."""

    duration_s: float
    names: tuple[str, ...]  # of all guests that there ever are
    max_bytes: Mapping[str, int]
    instants: list[Instant] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    rounds: list[RoundRecord] = field(default_factory=list)
    seconds: list[WorkloadSecond] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # of rounds
    refused: dict[str, float] = field(default_factory=dict)  # VMs not admitted, and when

    def of_guest(self, name: str) -> Iterator[tuple[float, GuestInstant]]:
        """One guest through time."""
        for instant in self.instants:
            if name in instant.guests:
                yield instant.at_s, instant.guests[name]
