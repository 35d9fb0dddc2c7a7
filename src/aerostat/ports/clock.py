"""Time, injected, so that the same loop runs in the daemon, in tests and in the simulator."""

from typing import Protocol


class Clock(Protocol):
    """Where the loop reads the time."""

    def now_s(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        ...

    def wall_s(self) -> float:
        """Unix seconds; may jump."""
        ...
