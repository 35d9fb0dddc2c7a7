"""Who asks again is told the same as somebody who reads the whole file, and much less is read."""

import random
from pathlib import Path
from typing import Any

import pytest

from aerostat.model.guest import GuestId
from aerostat.store import MoveFollower, open_store
from aerostat.store.asking import Asked
from aerostat.store.following import FOLLOWED_S
from builders import Guest, World, params
from recorded_rounds import Recorder, remember

HOUR_S = 3600.0


def restless(*, was_enforced: bool = True) -> Recorder:
    guests = [Guest(name=name, actual_mib=300) for name in "abc"]
    world = World(guests=guests, params=params(budget_mib=1400))
    return Recorder(world=world, was_enforced=was_enforced)


def some_rounds(recorder: Recorder, draw: random.Random) -> list[Any]:
    """A minute or so, in which a guest may want more or less."""
    guest = draw.choice(recorder.world.guests)
    guest.used_mib = draw.randrange(60, 290)
    if draw.random() < 0.4:
        guest.swap_in_mib += 20
    return recorder.rounds(draw.randrange(1, 40), elapse_s=draw.choice([0.5, 5.0, 60.0]))


def span(recorder: Recorder, for_s: float) -> dict[str, float]:
    return {"since_wall_s": recorder.wall_s - for_s, "until_wall_s": recorder.wall_s}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("was_enforced", [True, False])
def test_it_tells_what_the_file_tells(tmp_path: Path, seed: int, was_enforced: bool) -> None:
    draw, recorder = random.Random(seed), restless(was_enforced=was_enforced)
    path, follower, told = tmp_path / "a.db", MoveFollower(), 0
    for _ in range(40):
        remember(path, some_rounds(recorder, draw))
        guest, for_s = GuestId(draw.choice("abc")), draw.choice([60.0, 900.0, HOUR_S, 1e6])
        with open_store(path) as reader:
            followed = follower.moves(reader, guest, **span(recorder, for_s))
            whole = reader.moves(guest, **span(recorder, 1e6))
        expected = tuple(move for move in whole if move.wall_s >= recorder.wall_s - for_s)
        assert followed == expected
        told += len(followed)
    assert told > 30


def test_what_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, recorder, follower = tmp_path / "a.db", restless(), MoveFollower()
    remember(path, recorder.rounds(400, elapse_s=5.0))
    read: list[int] = []
    rows = Asked.rows

    def counted(asked: Asked, statement: str, *values: object) -> list[dict[str, Any]]:
        found = rows(asked, statement, *values)
        read.append(len(found))
        return found

    monkeypatch.setattr(Asked, "rows", counted)
    with open_store(path) as reader:
        first = follower.moves(reader, GuestId("a"), **span(recorder, HOUR_S))
        at_first = sum(read)
        read.clear()
        again = follower.moves(reader, GuestId("a"), **span(recorder, HOUR_S))
    assert again == first
    assert at_first > 100
    assert sum(read) == len(first)


def test_a_store_that_was_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path, recorder, follower = tmp_path / "a.db", restless(), MoveFollower()
    draw = random.Random(1)
    remember(path, [one for _ in range(20) for one in some_rounds(recorder, draw)])
    with open_store(path) as reader:
        assert follower.moves(reader, GuestId("a"), **span(recorder, HOUR_S))
    path.rename(tmp_path / "aside")
    remember(path, some_rounds(recorder, draw))
    with open_store(path) as reader:
        expected = reader.moves(GuestId("a"), **span(recorder, HOUR_S))
        assert follower.moves(reader, GuestId("a"), **span(recorder, HOUR_S)) == expected


def test_a_clock_that_was_set_back_makes_it_read_anew(tmp_path: Path) -> None:
    path, recorder, follower = tmp_path / "a.db", restless(), MoveFollower()
    draw = random.Random(2)
    remember(path, [one for _ in range(20) for one in some_rounds(recorder, draw)])
    with open_store(path) as reader:
        follower.moves(reader, GuestId("a"), **span(recorder, HOUR_S))
        recorder.shift_s = -FOLLOWED_S / 2
        expected = reader.moves(GuestId("a"), **span(recorder, HOUR_S))
        assert follower.moves(reader, GuestId("a"), **span(recorder, HOUR_S)) == expected


def test_what_is_long_past_is_forgotten(tmp_path: Path) -> None:
    path, recorder, follower = tmp_path / "a.db", restless(), MoveFollower()
    draw = random.Random(3)
    for _ in range(60):
        remember(path, some_rounds(recorder, draw))
        with open_store(path) as reader:
            follower.moves(reader, GuestId("a"), **span(recorder, HOUR_S))
    with open_store(path) as reader:
        whole = reader.moves(GuestId("a"), **span(recorder, 1e6))
    assert 0 < news_kept(follower) < len(whole) / 2


def news_kept(follower: MoveFollower) -> int:
    return len(follower._followed[GuestId("a")].reel.news)
