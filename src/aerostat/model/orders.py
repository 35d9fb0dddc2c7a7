"""What the operator says of one guest while the daemon runs, over what the configuration says."""

from dataclasses import dataclass
from enum import StrEnum

from aerostat.model.guest import GuestId
from aerostat.model.limits import Amount


class Standing(StrEnum):
    """An order that stands until it is taken back. Values are stable."""

    HELD = "held"  # nothing is taken from it; what it needs it still gets
    RELEASED = "released"  # it gets its max at once, and nothing is taken from it


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestOrder:
    """The operator's word on one guest. ``None``: the configuration holds."""

    guest: GuestId
    minimum: Amount | None = None
    maximum: Amount | None = None
    weight: int | None = None
    standing: Standing | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing any more."""
        return not (self.minimum or self.maximum or self.weight or self.standing)
