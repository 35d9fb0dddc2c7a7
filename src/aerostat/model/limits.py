"""What the operator declares for a guest."""

from dataclasses import dataclass

from aerostat.model.guest import GuestId
from aerostat.model.host_state import LadderStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A size given in bytes or as a share of the guest's own max; exactly one of the two."""

    size_bytes: int | None = None
    max_ratio: float | None = None

    def __post_init__(self) -> None:
        assert (self.size_bytes is None) != (self.max_ratio is None)

    def of(self, max_bytes: int) -> int:
        """Resolve against the guest's max."""
        if self.size_bytes is not None:
            return self.size_bytes
        assert self.max_ratio is not None
        return int(self.max_ratio * max_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLimits:
    """The operator's word on one guest."""

    minimum: Amount = Amount(max_ratio=0.25)
    maximum: Amount | None = None  # None: the RAM the guest booted with
    weight: int = 100
    is_managed: bool = True  # False: watch it, never move it
    exempt: frozenset[LadderStep] = frozenset()  # steps of the ladder that it is spared

    def __post_init__(self) -> None:
        assert self.weight > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRule:
    """Limits for the guests whose name matches a glob; the first match wins."""

    name_glob: str
    limits: GuestLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedLimits:
    """Limits in bytes for one guest whose max is known; 0 < min <= max."""

    guest: GuestId
    min_bytes: int
    max_bytes: int
    weight: int
    is_managed: bool
