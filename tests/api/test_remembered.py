"""Decisions and events that the store does not have are told from memory."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from aerostat.api import remembering
from aerostat.api.app import create_app
from aerostat.api.seat import Seat
from aerostat.api.stream import Stream
from aerostat.config import default_config
from aerostat.control.board import Board, Status
from aerostat.control.orders import Ask
from aerostat.ports.journal import RoundRecord
from aerostat.store import Move, Retention, Store, StoreReader
from simulated_daemon import simulated_rounds


class AtTheEnd:
    """A clock that stands where the last round was."""

    def __init__(self, record: RoundRecord) -> None:
        self._record = record

    def now_s(self) -> float:
        return self._record.snapshot.now_s

    def wall_s(self) -> float:
        return self._record.snapshot.wall_s


async def nobody(ask: Ask) -> None:
    raise AssertionError(f"nothing is asked for here: {ask}")


@pytest.fixture(scope="module")
def rounds() -> list[RoundRecord]:
    return simulated_rounds(120.0, guests=3)


def told(
    rounds: list[RoundRecord], store: Path | None, *, limit: int = 5000
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Events, and why the first guest is as it is."""
    config = default_config(["/nowhere/*.qmp"])
    seat = Seat(
        board=Board(),
        clock=AtTheEnd(rounds[-1]),
        config=lambda: config,
        ask=nobody,
        store_path=store,
    )
    stream = Stream()
    for record in rounds:
        stream.follow(Status(last=record))
    seat.board.show(last=rounds[-1])

    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        transport = httpx.ASGITransport(app=create_app(seat, stream))
        async with httpx.AsyncClient(transport=transport, base_url="http://aerostat") as client:
            events = await client.get("/v1/events", params={"limit": limit})
            why = await client.get("/v1/guests/g1/explanation")
            return events.raise_for_status().json(), why.raise_for_status().json()

    return asyncio.run(main())


def kept(path: Path, rounds: list[RoundRecord]) -> Path:
    with Store(path, retention=Retention()) as store:
        for record in rounds:
            store.record(record)
            while store.waiting() > 60:
                pass
    return path


def targets(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(event["id"], event["target_bytes"]) for event in events if event["kind"] == "target"]


def decided(rounds: list[RoundRecord]) -> list[tuple[str, int]]:
    return [(str(c.guest), c.target_bytes) for r in rounds for c in r.plan.changes]


def of_g1(rounds: list[RoundRecord]) -> list[int]:
    return [target for guest, target in decided(rounds) if guest == "g1"]


def targets_of(why: dict[str, Any]) -> list[int]:
    return [move["target_bytes"] for move in why["last"] if move["outcome"] != "held"]


def test_without_a_store_everything_in_memory_is_told(rounds: list[RoundRecord]) -> None:
    events, why = told(rounds, None)
    assert targets(events["events"]) == decided(rounds)
    assert "switched off" in events["trouble"]
    assert targets_of(why) == of_g1(rounds)
    assert [move["outcome"] for move in why["last"]].count("on_its_way") <= 1


def test_a_damaged_store_is_told_of_and_memory_serves(
    rounds: list[RoundRecord], tmp_path: Path
) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"this was a database" * 1000)
    events, why = told(rounds, path)
    assert targets(events["events"]) == decided(rounds)
    assert "damaged.db" in events["trouble"]
    assert targets_of(why) == of_g1(rounds)


def test_what_is_newer_than_the_store_comes_from_memory_once(
    rounds: list[RoundRecord], tmp_path: Path
) -> None:
    """As behind a full disk: it was written up to the middle."""
    path = kept(tmp_path / "half.db", rounds[: len(rounds) // 2])
    events, why = told(rounds, path)
    assert sorted(targets(events["events"])) == sorted(decided(rounds))
    times = [event["at"] for event in events["events"]]
    assert times == sorted(times)
    assert targets_of(why) == of_g1(rounds)


def test_a_gap_in_the_store_is_filled(rounds: list[RoundRecord], tmp_path: Path) -> None:
    """A disk that was full for a while, and is not any more."""
    third = len(rounds) // 3
    path = kept(tmp_path / "gap.db", rounds[:third] + rounds[2 * third :])
    events, why = told(rounds, path)
    assert sorted(targets(events["events"])) == sorted(decided(rounds))
    assert sorted(targets_of(why)) == sorted(of_g1(rounds))


def test_a_store_that_has_everything_is_told_as_it_is(
    rounds: list[RoundRecord], tmp_path: Path
) -> None:
    path = kept(tmp_path / "all.db", rounds)
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute("SELECT count(*) FROM target_change").fetchone()
    events, _ = told(rounds, path)
    assert len(targets(events["events"])) == count == len(decided(rounds))
    assert "trouble" not in events


@pytest.mark.parametrize("limit", [1, 7, 40, 5000])
def test_the_last_few_are_read_from_the_end_and_are_the_same(
    rounds: list[RoundRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """An hour of many guests takes seconds to read, and who asks for ten lines need not wait."""
    path = kept(tmp_path / "all.db", rounds)
    everything, _ = told(rounds, path)
    monkeypatch.setattr(remembering, "FIRST_S", 2.0)
    last, _ = told(rounds, path, limit=limit)
    assert last["events"] == everything["events"][-limit:]


def test_moves_of_an_hour_are_followed_and_not_read_whole_for_every_answer(
    rounds: list[RoundRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept(tmp_path / "a.db", rounds)
    before = told(rounds, path)

    def whole(*_: object, **__: object) -> tuple[Move, ...]:
        raise AssertionError("all decisions of an hour are read again")

    monkeypatch.setattr(StoreReader, "moves", whole)
    events, why = told(rounds, path)
    assert (events["events"], why["last"]) == (before[0]["events"], before[1]["last"])
    assert [event for event in events["events"] if event["kind"] == "target"]
