"""The status board: the last round, whole and immutable, for whoever wants to look."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aerostat.control.orders import OrderBook
from aerostat.engine.params import EngineParams
from aerostat.model.events import TargetAnswered
from aerostat.ports.journal import RoundRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the loop shows of itself."""

    last: RoundRecord | None = None
    rounds: int = 0
    failures: int = 0  # rounds that failed since the start
    failure: str | None = None  # the last failure, while it lasts
    sensor_trouble: str | None = None
    journal_trouble: str | None = None  # what happened to the last record, if it was not kept
    events_dropped: int = 0  # since the start, in storms of them
    round_s: float | None = None  # how long the last round took
    released: tuple[TargetAnswered, ...] = ()  # answers to the last release of all guests
    orders: OrderBook = OrderBook()  # what operators have ordered
    params: EngineParams | None = None  # in force, with those orders


OnStatus = Callable[[Status], None]
"""Takes every new status at once; must neither block nor raise."""


class Board:
    """Holds the newest status; reading it never waits for the loop."""

    def __init__(self) -> None:
        self.status = Status()
        self._followers: list[OnStatus] = []

    def follow(self, on_status: OnStatus) -> None:
        """Tell ``on_status`` of every status from now on."""
        self._followers.append(on_status)

    def show(self, **changed: Any) -> None:
        """Replace fields of the status."""
        self.status = replace(self.status, **changed)
        for on_status in self._followers:
            on_status(self.status)
