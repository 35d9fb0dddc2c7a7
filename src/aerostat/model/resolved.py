"""The limits in force for one guest, in bytes."""

from dataclasses import dataclass

from aerostat.model.guest import GuestId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedLimits:
    """Limits in bytes for one guest whose max is known; 0 < min <= max."""

    guest: GuestId
    min_bytes: int
    max_bytes: int
    weight: int
    is_managed: bool
