"""When a guest last reported: Firecracker does not say, so that only a change shows a new sample.

A driver that hangs and a guest in which nothing at all happens look the same. Either grows old, and
nothing is taken from it.
"""

from collections.abc import Mapping

from aerostat.drivers.report import GuestReport, report_of
from aerostat.model.figures import Absence, BalloonStatistics
from aerostat.ports.clock import Clock


class ChangingSample:
    """Stamps figures with the time at which they were first seen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: Mapping[str, int | Absence] | None = None
        self._seen_s = 0.0
        self._seen_wall_s = 0.0

    def stamped(
        self, figures: Mapping[str, int | Absence], *, max_bytes: int | None
    ) -> BalloonStatistics:
        """The statistics as the model has them."""
        if not any(isinstance(value, int) for value in figures.values()):
            self._last = None
            return report_of(figures, updated_wall_s=0.0, max_bytes=max_bytes).aged(0.0)
        if figures != self._last:
            self._last = dict(figures)
            self._seen_s, self._seen_wall_s = self._clock.now_s(), self._clock.wall_s()
        report: GuestReport = report_of(
            figures, updated_wall_s=self._seen_wall_s, max_bytes=max_bytes
        )
        return report.aged(self._clock.now_s() - self._seen_s)
