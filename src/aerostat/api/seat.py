"""What the API may see of a daemon, and the one thing it may do: ask the loop."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from aerostat.api.counters import Counters
from aerostat.api.recent import Recent
from aerostat.config import Config
from aerostat.control.board import Board, Status
from aerostat.control.orders import Ask
from aerostat.host.techniques.savings import TechniqueFigures
from aerostat.model.admission import Admission
from aerostat.ports.clock import Clock
from aerostat.ports.errors import AerostatError
from aerostat.store import Health, MoveFollower, Readers


class LoopBusyError(AerostatError):
    """The loop did not take a command in time: whether it will be done is unknown."""


class Latest:
    """The newest status that everybody before has followed."""

    def __init__(self) -> None:
        self.status = Status()

    def follow(self, status: Status) -> None:
        """Keep it."""
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Everything here may be used from the server's thread."""

    board: Board
    clock: Clock
    config: Callable[[], Config]  # in force: a reload replaces it
    # Returns once the loop has it, with what it says of a VM to come; raises LoopBusyError.
    ask: Callable[[Ask], Awaitable[Admission | None]]
    store_path: Path | None = None  # None: nothing is remembered
    health: Callable[[], Health] = Health
    started_wall_s: float = 0.0
    doctor: Callable[[], dict[str, Any]] | None = None  # goes round the host: takes seconds
    techniques: Callable[[], Mapping[str, TechniqueFigures]] | None = None  # of the host, now
    recent: Recent = field(default_factory=Recent)
    counters: Counters = field(default_factory=Counters)
    latest: Latest = field(default_factory=Latest)
    moves: MoveFollower = field(default_factory=MoveFollower)

    @cached_property
    def readers(self) -> Readers | None:
        """Of the store."""
        return None if self.store_path is None else Readers(self.store_path)

    def follow(self) -> None:
        """Let what is counted and kept here follow the board."""
        self.board.follow(self.recent.follow)
        self.board.follow(self.counters.follow)
        self.latest.follow(self.board.status)
        self.board.follow(self.latest.follow)
