"""Where each byte of the host's RAM is, by the host's own measures and what its guests say."""

from collections.abc import Iterable
from dataclasses import fields

from aerostat.model.guest import GuestSnapshot
from aerostat.model.host import HostSnapshot
from aerostat.model.plan import GuestTrace
from aerostat.model.sealed import sealed


@sealed
class Share:
    """One guest's part of it, in bytes. The first four are RAM, and add up to what it holds.

    What a guest has not touched takes no RAM; which of its memory that is nobody tells, so it is
    counted as what lies free in it.
    """

    used_bytes: int
    cache_bytes: int
    free_bytes: int
    unknown_bytes: int  # held, and the guest does not say for what: overhead, or no figures
    ballooned_bytes: int
    untouched_bytes: int
    swapped_bytes: int

    def document(self) -> dict[str, int]:
        """Each part by its name."""
        return {name: getattr(self, name) for name in _PARTS}

    @property
    def resident_bytes(self) -> int:
        """What it takes of the host's RAM."""
        return self.used_bytes + self.cache_bytes + self.free_bytes + self.unknown_bytes


_PARTS = tuple(field.name for field in fields(Share))


def share_of(guest: GuestSnapshot, trace: GuestTrace) -> Share:
    """What one guest takes of the host's RAM, by kind."""
    actual = guest.actual_bytes or 0
    footprint = guest.footprint
    measured = None if footprint is None else footprint.held_bytes
    swapped = 0 if footprint is None else footprint.swap_bytes or 0
    held = actual if measured is None else measured
    used = min(trace.used_bytes or 0, held)
    cache = min(trace.cache_bytes or 0, held - used)
    free = min(trace.free_bytes or 0, held - used - cache)
    return Share(
        used_bytes=used,
        cache_bytes=cache,
        free_bytes=free,
        unknown_bytes=held - used - cache - free,
        ballooned_bytes=max(0, (guest.max_bytes or actual) - actual),
        untouched_bytes=max(0, actual - held - swapped),
        swapped_bytes=swapped,
    )


def host_account(
    snapshot: HostSnapshot, shares: Iterable[Share], *, reserve_bytes: int
) -> dict[str, int] | None:
    """The host's RAM by what it is for; None: the host could not be read.

    All but the last three add up to the host's RAM; those take none of it.
    """
    memory = snapshot.memory
    if memory is None:
        return None
    shares = list(shares)
    resident = sum(share.resident_bytes for share in shares)
    reserve = min(reserve_bytes, memory.available_bytes)
    taken = memory.total_bytes - memory.available_bytes
    # Where guests are counted with more than there is (figures of different moments), they win.
    scale = min(1.0, taken / resident) if resident else 1.0

    def of(name: str) -> int:
        return int(scale * sum(getattr(share, name) for share in shares))

    guests = {
        name: of(name) for name in ("used_bytes", "cache_bytes", "free_bytes", "unknown_bytes")
    }
    return {
        **{f"guests_{name}": size for name, size in guests.items()},
        "host_itself_bytes": max(0, taken - sum(guests.values())),
        "reserve_bytes": reserve,
        "available_beyond_reserve_bytes": memory.available_bytes - reserve,
        "ballooned_bytes": sum(share.ballooned_bytes for share in shares),
        "untouched_bytes": sum(share.untouched_bytes for share in shares),
        "swapped_bytes": sum(share.swapped_bytes for share in shares),
    }
