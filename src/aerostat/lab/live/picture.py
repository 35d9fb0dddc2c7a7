"""One frame's content: everything the live view shows, as plain values. ``None`` is not known."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPicture:
    """One guest now. Rates are per second; ``name`` and ``state`` may be untrusted text."""

    name: str
    max_bytes: int
    actual_bytes: int | None = None
    target_bytes: int | None = None
    used_bytes: int | None = None
    cache_bytes: int | None = None
    free_bytes: int | None = None
    hot_bytes: int | None = None
    served_per_s: float | None = None
    offered_per_s: float | None = None
    latency_p99_s: float | None = None
    pressure_some_ratio: float | None = None  # PSI some, share of the last second
    swap_in_bytes_per_s: float | None = None
    swap_out_bytes_per_s: float | None = None
    state: str = ""  # in a word or two: "booting", "growing", "starved", "held"

    @property
    def ballooned_bytes(self) -> int | None:
        """What the balloon holds: max - actual."""
        return None if self.actual_bytes is None else max(0, self.max_bytes - self.actual_bytes)

    @property
    def served_ratio(self) -> float | None:
        """Served over offered; ``None`` where nothing is offered or known."""
        if self.served_per_s is None or not self.offered_per_s:
            return None
        return self.served_per_s / self.offered_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPicture:
    """The host now.

    The budget is one of ``actual``, so the bar compares it with the sum of that over the guests;
    ``held_bytes`` is what the host itself measures, the VMs' own overhead included.
    """

    budget_bytes: int | None = None  # None: unconstrained
    held_bytes: int | None = None
    reserve_bytes: int | None = None
    pressure_some_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPicture:
    """A decision in words, and how long ago it was made."""

    age_s: float
    guest: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePicture:
    """One frame."""

    title: str  # "Aerostat demo"
    arm: str  # "even split, arm 2 of 3"; "booting the guests"
    elapsed_s: float  # of the whole experiment, boot included
    total_s: float | None = None  # as far as it is known
    phase: str = ""  # "phase 2 of 3: db has the large working set"
    guests: tuple[GuestPicture, ...] = ()
    host: HostPicture = HostPicture()
    decisions: tuple[DecisionPicture, ...] = ()  # newest first
    notes: tuple[str, ...] = ()  # "TCG: emulated guests; compare arms, not absolute speeds"

    @property
    def given_bytes(self) -> int | None:
        """What all guests hold together; ``None`` while one of them is not known."""
        actual = [guest.actual_bytes for guest in self.guests]
        known = [size_bytes for size_bytes in actual if size_bytes is not None]
        return sum(known) if known and len(known) == len(actual) else None
