"""Finds the guest a client means, and says everything about one."""

from collections.abc import Sequence

from aerostat import __version__
from aerostat.api.remembering import moves_since
from aerostat.api.seat import Seat
from aerostat.api.stream import Stream
from aerostat.engine.prospects import prospects
from aerostat.model.guest import GuestSnapshot
from aerostat.model.plan import GuestTrace
from aerostat.ports.journal import RoundRecord
from aerostat.store import KnownGuest, LastSeen, Session
from aerostat.story.explanation import Explanation
from aerostat.story.remembered import Freshness, UnknownGuestError, found_guest


def present_guest(seat: Seat, wanted: str) -> tuple[RoundRecord, GuestSnapshot, GuestTrace]:
    """The guest of this id, name or platform's number in the last round.

    Raises:
        UnknownGuestError: there is none, or more than one.
    """
    record = seat.board.status.last
    if record is None:
        raise UnknownGuestError("the daemon has not looked at any VM yet")
    at = _place_of(record.snapshot.guests, wanted)
    if at is None:
        at = _place_by_any_name(record, wanted)
    return record, record.snapshot.guests[at], record.trace.guests[at]


def _place_of(guests: Sequence[GuestSnapshot], wanted: str) -> int | None:
    """Where the one VM of this id, or of this name, stands; as nearly all are asked for."""
    named = []
    for at, guest in enumerate(guests):
        if guest.guest == wanted:
            return at
        if guest.name == wanted:
            named.append(at)
    return named[0] if len(named) == 1 else None


def _place_by_any_name(record: RoundRecord, wanted: str) -> int:
    """Where it stands by its platform's number; or why nobody can tell which is meant."""
    wall_s = record.snapshot.wall_s
    known = tuple(
        KnownGuest(guest=g.guest, name=g.name, seen_wall_s=wall_s, number=g.number)
        for g in record.snapshot.guests
    )
    now = Freshness(now_wall_s=wall_s, written_wall_s=wall_s)
    return known.index(found_guest(known, wanted, now=now))


def live_explanation(seat: Seat, stream: Stream, wanted: str, *, since_s: float) -> Explanation:
    """Why a guest is at its size: now from the loop, before that from store and memory.

    Raises:
        UnknownGuestError: there is no such guest.
    """
    record, snapshot, trace = present_guest(seat, wanted)
    config = seat.config()
    params = seat.board.status.params or config.engine_params()
    now_wall_s = seat.clock.wall_s()
    session = Session(
        number=0, started_wall_s=seat.started_wall_s, aerostat=__version__, configuration=None
    )
    return Explanation(
        path=seat.store_path,
        now=Freshness(now_wall_s=now_wall_s, written_wall_s=record.snapshot.wall_s),
        seen=LastSeen(
            wall_s=record.snapshot.wall_s,
            was_enforced=record.was_enforced,
            session=session,
            host=record.trace.host,
            snapshot=snapshot,
            trace=trace,
        ),
        is_gone=False,
        config=config,
        prospects=prospects(trace, params),
        moves=moves_since(seat, stream, snapshot.guest, since_s=since_s),
        since_s=since_s,
    )
