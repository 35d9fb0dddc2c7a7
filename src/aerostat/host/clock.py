"""The machine's own clocks."""

import time


class SystemClock:
    """The port ``Clock`` on this machine."""

    def now_s(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall_s(self) -> float:
        """Unix seconds."""
        return time.time()
