"""What the operator declares for a guest."""

from dataclasses import dataclass, replace

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
class DeclaredLimits:
    """What is declared at the VM itself, in its hypervisor's settings; at least one of these."""

    minimum: Amount | None = None
    maximum: Amount | None = None
    weight: int | None = None
    is_managed: bool | None = None

    def __post_init__(self) -> None:
        assert self.weight is None or self.weight > 0
        assert (self.minimum, self.maximum, self.weight, self.is_managed) != (None,) * 4

    def over(self, limits: GuestLimits) -> GuestLimits:
        """The limits with what is declared here in their place."""
        return replace(
            limits,
            minimum=limits.minimum if self.minimum is None else self.minimum,
            maximum=limits.maximum if self.maximum is None else self.maximum,
            weight=limits.weight if self.weight is None else self.weight,
            is_managed=limits.is_managed if self.is_managed is None else self.is_managed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRule:
    """Limits for the guests whose name or one of whose tags matches a glob; the first rule wins."""

    name_glob: str | None = None
    tag_glob: str | None = None
    limits: GuestLimits

    def __post_init__(self) -> None:
        assert (self.name_glob, self.tag_glob) != (None, None)
