"""Answers that are written once a round: never twice for the same, never older than the round."""

from dataclasses import dataclass

import pytest

from aerostat.api.metrics import Metrics
from aerostat.api.seat import Seat
from aerostat.api.written import FRESH_S, PerRound
from aerostat.config import default_config
from aerostat.control.board import Board
from aerostat.control.orders import Ask
from aerostat.ports.journal import RoundRecord
from simulated_daemon import simulated_rounds


@dataclass
class StoodStill:
    """A clock that a test moves."""

    time_s: float = 0.0

    def now_s(self) -> float:
        return self.time_s

    def wall_s(self) -> float:
        return self.time_s


async def nobody(ask: Ask) -> None:
    raise AssertionError(f"nothing is asked for here: {ask}")


@pytest.fixture(scope="module")
def rounds() -> list[RoundRecord]:
    return simulated_rounds(20.0, guests=2, is_eventful=False)


@pytest.fixture
def seat() -> Seat:
    config = default_config(["/nowhere/*.qmp"])
    made = Seat(board=Board(), clock=StoodStill(), config=lambda: config, ask=nobody)
    made.follow()
    return made


def test_an_answer_is_written_once_a_round(seat: Seat, rounds: list[RoundRecord]) -> None:
    written = PerRound(seat)
    times: list[int] = []

    def write() -> bytes:
        times.append(seat.board.status.rounds)
        return b"%d" % seat.board.status.rounds

    for number, record in enumerate(rounds[:3], start=1):
        seat.board.show(last=record, rounds=number)
        assert [written.body("a", write) for _ in range(5)] == [b"%d" % number] * 5
    assert times == [1, 2, 3]


def test_where_no_rounds_come_ages_go_on(seat: Seat) -> None:
    clock, written = seat.clock, PerRound(seat)
    assert isinstance(clock, StoodStill)

    def age() -> bytes:
        return written.body("age", lambda: b"%.1f" % clock.now_s())

    assert age() == b"0.0"
    clock.time_s = FRESH_S / 2
    assert age() == b"0.0"
    clock.time_s = FRESH_S
    assert age() == b"1.0"


def test_metrics_count_the_last_round_as_soon_as_it_is_over(
    seat: Seat, rounds: list[RoundRecord]
) -> None:
    """Also where somebody asks between the round and the counters, as another thread may."""
    metrics = Metrics(seat)
    asked_between: list[bytes] = []
    for number, record in enumerate(rounds[:4], start=1):
        seat.board.show(last=record, rounds=number)
        seat.board.show(round_s=0.001 * number)
        assert f"aerostat_round_seconds_count {number}.0\n".encode() in metrics.body()
    early = Seat(board=Board(), clock=seat.clock, config=seat.config, ask=nobody)
    metrics = Metrics(early)
    early.board.follow(lambda _: asked_between.append(metrics.body()))  # before its counters
    early.follow()
    for number, record in enumerate(rounds[:4], start=1):
        early.board.show(last=record)
        early.board.show(round_s=0.002 * number)
        assert f"aerostat_round_seconds_count {number}.0\n".encode() in metrics.body()
    assert len(asked_between) == 8
