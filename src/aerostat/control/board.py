"""The status board: the last round, whole and immutable, for whoever wants to look."""

from dataclasses import dataclass

from aerostat.ports.journal import RoundRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the loop shows of itself."""

    last: RoundRecord | None = None
    rounds: int = 0
    failures: int = 0  # rounds that failed since the start
    failure: str | None = None  # the last failure, while it lasts
    sensor_trouble: str | None = None
    round_s: float | None = None  # how long the last round took


class Board:
    """Holds the newest status; reading it never waits for the loop."""

    def __init__(self) -> None:
        self.status = Status()
