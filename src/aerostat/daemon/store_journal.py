"""The store as one of the daemon's journals: it takes rounds, and the log hears its troubles."""

from pathlib import Path

import structlog

from aerostat.ports.journal import RoundRecord
from aerostat.store import Health, Store

QUIET_S = 10.0
"""A trouble is over when no round has been lost for so long: it may come and go."""


class StoreJournal:
    """Passes rounds to a store; tells of a trouble once when it begins and once when it is over."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._log = structlog.get_logger()
        self._shown = Health()
        self._is_troubled = False
        self._bad_s = 0.0

    def record(self, record: RoundRecord) -> None:
        """Take a round."""
        self._store.record(record)
        self._follow(record.trace.now_s)

    def tell_the_end(self) -> None:
        """Say what was lost, once the store has been closed."""
        health = self._store.health()
        self._tell_moved(health)
        if health.rounds_dropped > 0:
            self._log.warning(
                "store_incomplete", path=str(self._path), rounds_dropped=health.rounds_dropped
            )

    def _follow(self, now_s: float) -> None:
        health, dropped_before = self._store.health(), self._shown.rounds_dropped
        self._tell_moved(health)
        if health.trouble is not None or health.rounds_dropped > dropped_before:
            self._bad_s = now_s
            if not self._is_troubled:
                self._is_troubled = True
                detail = health.trouble or "rounds were lost"
                self._log.error("store_trouble", path=str(self._path), detail=detail)
        elif self._is_troubled and now_s - self._bad_s >= QUIET_S:
            self._is_troubled = False
            self._log.info("store_trouble_over", rounds_dropped=health.rounds_dropped)

    def _tell_moved(self, health: Health) -> None:
        for aside in health.moved_aside[len(self._shown.moved_aside) :]:
            self._log.error("store_moved_aside", path=str(self._path), moved_to=str(aside))
        self._shown = health
