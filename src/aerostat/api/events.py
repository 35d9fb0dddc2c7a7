"""What happened, as a document."""

from dataclasses import dataclass
from typing import Any

from aerostat.api.guests import present_guest
from aerostat.api.remembering import lines_since
from aerostat.api.seat import Seat
from aerostat.api.stream import Stream
from aerostat.model.guest import GuestId
from aerostat.store import StoreError
from aerostat.story.happenings import events_document
from aerostat.story.remembered import Freshness, UnknownGuestError, found_guest, known_only

EVENTS_MAX = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events a client wants."""

    since_s: float
    vm: str | None
    limit: int
    has_routine: bool


def what_happened(seat: Seat, stream: Stream, wanted: Wanted) -> dict[str, Any]:
    """The document of events.

    Raises:
        UnknownGuestError: neither the loop nor the store knows the VM.
    """
    now_wall_s = seat.clock.wall_s()
    only = None if wanted.vm is None else _only(seat, wanted.vm)
    lines, trouble = lines_since(
        seat,
        stream,
        only=only,
        span_s=wanted.since_s,
        limit=wanted.limit,
        has_routine=wanted.has_routine,
    )
    told, left_out = lines[-wanted.limit :], max(0, len(lines) - wanted.limit)
    record = seat.board.status.last
    written_wall_s = now_wall_s if record is None else record.snapshot.wall_s
    now = Freshness(now_wall_s=now_wall_s, written_wall_s=written_wall_s)
    path = None if trouble is not None else seat.store_path
    document = events_document(path, now, told, since_wall_s=now_wall_s - wanted.since_s)
    return {**document, **known_only(trouble=trouble, left_out=left_out or None)}


def _only(seat: Seat, vm: str) -> GuestId:
    """The VM that is meant: one that is here, or one that is gone and that the store remembers."""
    try:
        return present_guest(seat, vm)[1].guest
    except UnknownGuestError:
        if seat.readers is None:
            raise
        try:
            with seat.readers.lent() as reader:
                guests = reader.guests()
        except StoreError:
            guests = ()
        now_wall_s = seat.clock.wall_s()
        now = Freshness(now_wall_s=now_wall_s, written_wall_s=now_wall_s)
        return found_guest(guests, vm, now=now).guest
