"""Writes log lines from a thread of its own, so that whoever reads them may stall or go away."""

import contextlib
import json
import os
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

LINES_MAX = 1000
"""So many lines wait for a reader that has stalled; further ones are dropped and counted."""

CLOSE_S = 1.0
"""At the end the last lines get so long to be taken."""


class LogWriter:
    """A file to print to that never blocks and never fails."""

    def __init__(self, out: TextIO, send: Callable[[str], bool] | None = None) -> None:
        """``send`` takes lines first; what it does not take is written to the file."""
        self._send = send
        # By its number: a thread that hangs in a buffered file would hang the interpreter's end.
        self._file_number = out.fileno()
        self._is_terminal = out.isatty()
        self._lines: queue.Queue[str | None] = queue.Queue(maxsize=LINES_MAX)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_lines, name="log-writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=CLOSE_S)
            self._thread.join(CLOSE_S)

    def isatty(self) -> bool:
        """Whether people read it."""
        return self._is_terminal

    def write(self, text: str) -> int:
        """Take text to be written later."""
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: every line is written as soon as it may be."""

    def _write_lines(self) -> None:
        while (text := self._lines.get()) is not None:
            dropped, self._dropped = self._dropped, 0
            if dropped:
                text += json.dumps({"event": "log_lines_dropped", "lines": dropped}) + "\n"
            for line in text.splitlines(keepends=True) if self._send is not None else (text,):
                if self._send is None or not self._send(line):
                    self._write(line.encode(errors="replace"))

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._file_number, data) :]
            except OSError:
                return  # nobody reads any more: the daemon balances on
