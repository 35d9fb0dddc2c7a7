"""The port ``Journal`` on SQLite: a bounded queue, and one thread that writes.

The loop never waits for the disk. Where the disk does not keep up, is full, is locked by somebody
or the file is damaged, rounds are dropped and counted, and the daemon balances on.
"""

import contextlib
import queue
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from aerostat.ports.journal import RoundRecord
from aerostat.store import file
from aerostat.store.health import Health
from aerostat.store.keeper import Keeper
from aerostat.store.retention import Retention

ROUNDS_MAX = 128
"""So many rounds wait for the disk: half a minute at the quick pace; further ones are dropped."""

CLOSE_S = 2.0
"""At the end the last rounds get so long to be written."""

ASIDE_MAX = 3
"""A file that is damaged more often than this in one run is on a bad disk: no more is written."""


class Store:
    """Remembers rounds in a file."""

    def __init__(
        self,
        path: Path,
        *,
        retention: Retention | None = None,
        configuration: str | None = None,
    ) -> None:
        """Prepare a store; it writes from ``with`` on.

        Args:
            path: the database; made, with its folder, where it does not exist.
            retention: how long rounds are kept.
            configuration: what the daemon runs with, as text, for whoever reads its decisions.
        """
        self._path = path
        self._keeper = Keeper(path, retention or Retention(), configuration=configuration)
        self._rounds: queue.Queue[RoundRecord | None] = queue.Queue(maxsize=ROUNDS_MAX)
        self._thread = threading.Thread(target=self._write_rounds, name="store", daemon=True)
        self._is_closing = threading.Event()
        self._lock = threading.Lock()
        self._health = Health()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closing.set()
        give_up_s = time.monotonic() + CLOSE_S
        with contextlib.suppress(queue.Full):
            self._rounds.put(None, timeout=CLOSE_S)
        self._thread.join(max(0.0, give_up_s - time.monotonic()))
        if self._thread.is_alive():
            self._drop("the disk does not answer", rounds=self._rounds.qsize())

    def record(self, record: RoundRecord) -> None:
        """Take a round to be written; never blocks, never fails."""
        try:
            self._rounds.put_nowait(record)
        except queue.Full:
            self._drop(self._health.trouble or f"{self._path}: the disk does not keep up")

    def use_configuration(self, configuration: str) -> None:
        """The daemon was told something else: what it decides from now on is another session."""
        self._keeper.use_configuration(configuration)

    def health(self) -> Health:
        """How it is doing; never waits."""
        return self._health

    def waiting(self) -> int:
        """How many rounds wait for the disk; never waits."""
        return self._rounds.qsize()

    def _write_rounds(self) -> None:
        while (record := self._rounds.get()) is not None:
            if self._keep(record):
                self._tidy(record)
        with contextlib.suppress(Exception):  # the end: there is no later try
            self._keeper.finish()
        self._keeper.close()

    def _keep(self, record: RoundRecord) -> bool:
        """Write a round, however long a lock is held; False: it had to be dropped."""
        while True:
            try:
                was_new = self._keeper.keep(record)
            except Exception as error:  # noqa: BLE001 # whatever it is, the thread must live on
                if (trouble := self._overcome(error)) is not None:
                    self._drop(trouble)
                    return False
            else:
                if was_new:  # a round without news has not touched the disk
                    self._change(trouble=None)
                return True

    def _overcome(self, error: Exception) -> str | None:
        """None: the same round may be tried again. Else why it has to be dropped."""
        words = file.words(error, self._path)
        if file.is_busy(error) and not self._is_closing.is_set():
            self._change(trouble=words)
            return None
        if not file.is_damage(error):
            return words
        if len(self._health.moved_aside) >= ASIDE_MAX:
            return f"{words}; it was damaged {ASIDE_MAX} times before: the disk may be failing"
        try:
            aside = self._keeper.move_aside()
        except Exception as refusal:  # noqa: BLE001 # as above
            return file.words(refusal, self._path)
        self._change(moved_aside=(*self._health.moved_aside, aside))
        return None

    def _tidy(self, record: RoundRecord) -> None:
        # Damage shows again when the next round is written; a lock or a full disk may pass.
        with contextlib.suppress(Exception):
            self._keeper.tidy(record)

    def _drop(self, trouble: str, *, rounds: int = 1) -> None:
        with self._lock:
            dropped = self._health.rounds_dropped + rounds
            self._health = replace(self._health, trouble=trouble, rounds_dropped=dropped)

    def _change(self, **changed: object) -> None:
        with self._lock:
            self._health = replace(self._health, **changed)  # type: ignore[arg-type] # real fields
