"""Moves of guests that are asked about again and again: what was read once is not read again."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from aerostat.model.guest import GuestId
from aerostat.store.file import Inode
from aerostat.store.kept import Move
from aerostat.store.moves import Newsreel
from aerostat.store.reader import StoreReader

FOLLOWED_S = 3600.0
"""Who wants to know more than this of a guest has it read from the file."""

_FORGET_S = 60.0
"""What is older is forgotten so often."""

GUESTS_MAX = 1000
"""So many guests are followed; it is a few kilobytes for each, and more where much happens."""


@dataclass(slots=True, kw_only=True)
class _Followed:
    """What is known of one guest, up to a round."""

    since_wall_s: float
    reel: Newsreel
    round: int = 0
    lock: Lock = field(default_factory=Lock)


class MoveFollower:
    """Remembers what was news, and reads on from there. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inode: Inode | None = None
        self._followed: OrderedDict[GuestId, _Followed] = OrderedDict()

    def moves(
        self, reader: StoreReader, guest: GuestId, *, since_wall_s: float, until_wall_s: float
    ) -> tuple[Move, ...]:
        """The same as the reader's own, up to now.

        Args:
            reader: of the same store every time; one that was begun anew is noticed.
            guest: which.
            since_wall_s: from when on.
            until_wall_s: now.

        Raises:
            StoreError: it cannot be read.
        """
        begin_wall_s = until_wall_s - FOLLOWED_S
        if since_wall_s < begin_wall_s:
            return reader.moves(guest, since_wall_s=since_wall_s, until_wall_s=until_wall_s)
        followed = self._of(reader, guest, begin_wall_s)
        with followed.lock:
            _read_on(reader, guest, followed)
            if begin_wall_s > followed.since_wall_s + _FORGET_S:
                followed.reel.forget_before(begin_wall_s)
                followed.since_wall_s = begin_wall_s
            news = list(followed.reel.news)
        told = [one for one in news if since_wall_s <= one.decided.wall_s <= until_wall_s]
        return reader.decisions.in_full(guest, told)

    def _of(self, reader: StoreReader, guest: GuestId, begin_wall_s: float) -> _Followed:
        with self._lock:
            if reader.inode != self._inode:
                self._followed.clear()  # another file has rounds of its own
                self._inode = reader.inode
            followed = self._followed.get(guest)
            # A clock that was set back makes room before what was read.
            if followed is None or begin_wall_s < followed.since_wall_s:
                followed = _Followed(since_wall_s=begin_wall_s, reel=Newsreel())
                self._followed[guest] = followed
            self._followed.move_to_end(guest)
            if len(self._followed) > GUESTS_MAX:
                self._followed.popitem(last=False)
            return followed


def _read_on(reader: StoreReader, guest: GuestId, followed: _Followed) -> None:
    decided = reader.decisions.made(
        guest,
        since_wall_s=followed.since_wall_s,
        until_wall_s=float("inf"),
        after_round=followed.round,
    )
    if not decided:
        return
    if followed.round == 0:
        followed.reel = Newsreel(reader.decisions.before(guest, decided[0].round))
    for one in decided:
        followed.reel.take(one)
    followed.round = decided[-1].round
