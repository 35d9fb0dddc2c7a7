"""Tells what goes wrong with the loop itself, once when it begins and once when it is over."""

import structlog

from aerostat.control.board import Status
from aerostat.model.events import Outcome


class StatusLog:
    """Follows a status board and logs what changes on it for the worse, or for the better again."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()
        self._shown = Status()

    def show(self, status: Status) -> None:
        """Say what is new since the last status."""
        shown, self._shown = self._shown, status
        self._tell_failure(shown, status)
        self._tell_troubles(shown, status)
        if status.events_dropped > shown.events_dropped:
            self._log.warning("events_dropped", events=status.events_dropped)
        if status.released is not shown.released:
            self._tell_release(status)

    def _tell_failure(self, shown: Status, status: Status) -> None:
        if status.failure is None:
            if shown.failure is not None:
                self._log.info("rounds_work_again", failures=status.failures)
        elif status.failure != shown.failure:  # the same one again in every round is no news
            self._log.error("round_failed", detail=status.failure, failures=status.failures)

    def _tell_troubles(self, shown: Status, status: Status) -> None:
        if status.sensor_trouble is None and shown.sensor_trouble is not None:
            self._log.info("host_trouble_over")
        elif status.sensor_trouble != shown.sensor_trouble:
            self._log.error("host_trouble", detail=status.sensor_trouble)
        if status.journal_trouble not in {None, shown.journal_trouble}:
            self._log.error("journal_trouble", detail=status.journal_trouble)

    def _tell_release(self, status: Status) -> None:
        refused = [a.guest for a in status.released if a.outcome is not Outcome.ACCEPTED]
        self._log.info("released", guests=len(status.released), not_accepted=refused)
