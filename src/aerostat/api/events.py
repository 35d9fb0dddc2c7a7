"""What happened: from the store; without one, from what the events stream still has in memory."""

from dataclasses import dataclass
from typing import Any

from aerostat.api.guests import present_guest
from aerostat.api.seat import Seat
from aerostat.api.stream import Stream
from aerostat.store import StoreError, open_store
from aerostat.story.happenings import Line, events_document, lines_of
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
    since_wall_s = now_wall_s - wanted.since_s
    lines, trouble = _remembered(seat, wanted, since_wall_s, now_wall_s)
    if lines is None:
        only = None if wanted.vm is None else present_guest(seat, wanted.vm)[1].guest
        lines = stream.happened(only=only, since_wall_s=since_wall_s)
    shown = [line for line in lines if wanted.has_routine or not line.is_routine]
    told, left_out = shown[-wanted.limit :], max(0, len(shown) - wanted.limit)
    record = seat.board.status.last
    written_wall_s = now_wall_s if record is None else record.snapshot.wall_s
    now = Freshness(now_wall_s=now_wall_s, written_wall_s=written_wall_s)
    path = None if trouble is not None else seat.store_path
    document = events_document(path, now, told, since_wall_s=since_wall_s)
    return {**document, **known_only(trouble=trouble, left_out=left_out or None)}


def _remembered(
    seat: Seat, wanted: Wanted, since_wall_s: float, until_wall_s: float
) -> tuple[list[Line] | None, str | None]:
    """What the store has; or none of it, and why."""
    if seat.store_path is None:
        return None, "the store is switched off: only what is in memory is told"
    try:
        with open_store(seat.store_path) as reader:
            guests = reader.guests()
            only = None
            if wanted.vm is not None:
                now = Freshness(now_wall_s=until_wall_s, written_wall_s=until_wall_s)
                try:
                    only = present_guest(seat, wanted.vm)[1].guest
                except UnknownGuestError:
                    only = found_guest(guests, wanted.vm, now=now).guest  # one that is gone
            span = {"since_wall_s": since_wall_s, "until_wall_s": until_wall_s}
            return lines_of(reader, guests, only=only, **span), None
    except StoreError as error:
        return None, f"{error}: only what is in memory is told"
