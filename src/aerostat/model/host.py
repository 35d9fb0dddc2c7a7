"""The host at one instant: its own memory, and all its guests."""

from dataclasses import dataclass

from aerostat.model.guest import GuestSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """The host's own figures; pressure totals and swap counters are cumulative since boot."""

    total_bytes: int
    available_bytes: int
    free_bytes: int
    cache_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int
    swap_in_bytes: int | None = None
    swap_out_bytes: int | None = None
    revocable_bytes: int | None = None  # saved by page sharing: any write takes it back
    pressure_some_total_s: float | None = None
    pressure_full_total_s: float | None = None

    @property
    def lasting_bytes(self) -> int:
        """Available whatever becomes of merged pages: who writes one gets its own again."""
        return max(0, self.available_bytes - (self.revocable_bytes or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSnapshot:
    """One round's picture. ``now_s`` is monotonic; guests are ordered by id."""

    now_s: float
    wall_s: float
    memory: HostMemory | None  # None: the host could not be read; nothing is taken or handed out
    guests: tuple[GuestSnapshot, ...]

    def __post_init__(self) -> None:
        ids = [guest.guest for guest in self.guests]
        assert ids == sorted(set(ids)), "guests are ordered by id and listed once"
