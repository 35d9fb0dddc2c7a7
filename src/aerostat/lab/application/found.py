"""What the comparison on an application found."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What redis-benchmark said of one chunk of requests."""

    requests: int
    p99_s: float  # the worse of reading and writing


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationArm:
    """One policy once over all turns. The load is closed: who answers slowly is asked less."""

    policy: str
    repeat: int
    budget_bytes: int | None
    requests: int  # completed by all guests together
    seconds: float  # of load
    p99_s: float | None  # of the worst chunk but one in a hundred
    fill_s: tuple[float, ...]  # how long each turn's new data took
    guest_swap_in_bytes: int
    guests: Mapping[str, int] = field(default_factory=dict)  # requests of each
    foreign_cores: float | None = None
    why_invalid: str | None = None

    @property
    def requests_per_s(self) -> float:
        """All guests together."""
        return self.requests / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """All of it."""

    started_utc: str
    accelerator: str
    machine: Mapping[str, str | int | float]
    world: Mapping[str, object]
    arms: tuple[ApplicationArm, ...]
    notes: tuple[str, ...]
