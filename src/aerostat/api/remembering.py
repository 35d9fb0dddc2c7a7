"""What happened: from the store, and from memory what the store does not have.

The disk may be full, the file damaged or behind; the last rounds in which something happened are
in memory all the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from aerostat.api.seat import Seat
from aerostat.api.stream import Stream
from aerostat.model.guest import GuestId
from aerostat.store import Move, StoreError, StoreReader
from aerostat.story.happenings import Line, line_of_event, line_of_move, lines_of

FIRST_S = 300.0
WIDER = 4
"""Who asks for the last few of a long time gets them from its end: an hour of many guests takes
seconds to read."""

ADVICE = "advice"
"""Given anew in every round, and kept once: what the store left out was no news."""


def lines_since(
    seat: Seat,
    stream: Stream,
    *,
    only: GuestId | None,
    span_s: float,
    limit: int,
    has_routine: bool = False,
) -> tuple[list[Line], str | None]:
    """What happened within the span, oldest first, and what is wrong with the store.

    Read from its end: where there are more than ``limit``, the earliest may be missing.
    """
    read_s = min(FIRST_S, span_s)
    while True:
        lines, trouble = _lines_since(seat, stream, only=only, since_s=read_s)
        told = [line for line in lines if has_routine or not line.is_routine]
        if len(told) > limit or read_s >= span_s:
            return told, trouble
        read_s = min(WIDER * read_s, span_s)


def _lines_since(
    seat: Seat, stream: Stream, *, only: GuestId | None, since_s: float
) -> tuple[list[Line], str | None]:
    since_wall_s = seat.clock.wall_s() - since_s
    stored: list[Line] = []
    written_wall_s, trouble = 0.0, seat.health().trouble
    if seat.readers is None:
        trouble = "the store is switched off: only what is in memory is told"
    else:
        try:
            with seat.readers.lent() as reader:
                written_wall_s = reader.written_wall_s() or 0.0
                stored = _stored(reader, seat, only=only, since_wall_s=since_wall_s)
        except StoreError as error:
            trouble = str(error)
    remembered = [
        line_of_move(one) if isinstance(one, Move) else line_of_event(one)
        for one in stream.happened_since(since_wall_s)
    ]
    mine = [line for line in remembered if only in (None, line.guest)]
    return _together(stored, mine, written_wall_s=written_wall_s), trouble


def _stored(
    reader: StoreReader, seat: Seat, *, only: GuestId | None, since_wall_s: float
) -> list[Line]:
    return lines_of(
        reader,
        reader.guests(),
        only=only,
        since_wall_s=since_wall_s,
        until_wall_s=seat.clock.wall_s(),
        moves_of=partial(seat.moves.moves, reader),
    )


def _together(
    stored: Sequence[Line], remembered: Iterable[Line], *, written_wall_s: float
) -> list[Line]:
    known = {_key(line) for line in stored}
    missed = [
        line
        for line in remembered
        if line.wall_s > written_wall_s or (line.kind != ADVICE and _key(line) not in known)
    ]
    # Sorting is stable: of one round, events come before the decisions they led to.
    return sorted([*stored, *missed], key=lambda line: line.wall_s)


def _key(line: Line) -> tuple[float, str, GuestId | None]:
    return line.wall_s, line.kind, line.guest


def moves_since(seat: Seat, stream: Stream, guest: GuestId, *, since_s: float) -> tuple[Move, ...]:
    """A guest's changed decisions, oldest first."""
    now_wall_s = seat.clock.wall_s()
    since_wall_s = now_wall_s - since_s
    stored: tuple[Move, ...] = ()
    written_wall_s = 0.0
    if seat.readers is not None:
        try:
            with seat.readers.lent() as reader:
                written_wall_s = reader.written_wall_s() or 0.0
                stored = seat.moves.moves(
                    reader, guest, since_wall_s=since_wall_s, until_wall_s=now_wall_s
                )
        except StoreError:
            pass  # damaged, or nothing kept yet: what is in memory can be told all the same
    known = {move.wall_s for move in stored}
    missed = [
        move
        for move in stream.moves_since(since_wall_s, guest)
        if (move.wall_s > written_wall_s or (move.was_enforced and move.wall_s not in known))
    ]
    if not missed:
        return stored
    return _only_the_last_is_under_way(sorted([*stored, *missed], key=lambda move: move.wall_s))


def _only_the_last_is_under_way(moves: Sequence[Move]) -> tuple[Move, ...]:
    changes = [number for number, move in enumerate(moves) if move.is_change]
    last = changes[-1] if changes else -1
    return tuple(
        replace(move, is_last=False) if move.is_change and number != last else move
        for number, move in enumerate(moves)
    )
