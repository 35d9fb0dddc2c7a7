"""``aerostat run`` as a real process, its log read line by line as it comes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deadlines import PATIENCE_S

"""How long a test waits for what should take a second: machines may be busy."""

STOP_S = 60.0
"""How long a clean stop may take; with every deadline on its way it should take 4 s."""

Line = Mapping[str, Any]


class Daemon:
    """One daemon; a thread collects what it says, so that its pipe never fills."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.garbage: list[str] = []  # what was no JSON object with an event
        self._lines: list[Line] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aerostat", "run", *arguments],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def lines(self) -> Sequence[Line]:
        """Everything it has said so far."""
        return tuple(self._lines)

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def said(self, event: str, **keys: object) -> list[Line]:
        """Lines of this event that have these keys."""
        return [
            line
            for line in self.lines
            if line["event"] == event and all(line.get(k) == v for k, v in keys.items())
        ]

    def until_said(self, event: str, *, deadline_s: float = PATIENCE_S, **keys: object) -> Line:
        """Wait for a line."""
        self.until(lambda: bool(self.said(event, **keys)), f"{event} {keys}", deadline_s=deadline_s)
        return self.said(event, **keys)[0]

    def until(
        self, condition: Callable[[], bool], what: str, *, deadline_s: float = PATIENCE_S
    ) -> None:
        """Wait for a condition; a failure tells what the daemon has said."""
        give_up_s = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < give_up_s, f"{what}: not in {deadline_s} s\n{self.transcript}"
            time.sleep(0.01)

    @property
    def transcript(self) -> str:
        """All it said, for people."""
        status = "running" if self.returncode is None else f"exit status {self.returncode}"
        return "\n".join([*self.garbage, *(json.dumps(line) for line in self.lines), status])

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit status."""
        self._process.send_signal(number)
        try:
            status = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end within {STOP_S} s\n{self.transcript}") from None
        self._reader.join()
        return status

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as log:
            for text in log:
                try:
                    line = json.loads(text)
                    assert isinstance(line["event"], str)
                    self._lines.append(line)
                except (ValueError, KeyError, TypeError, AssertionError):
                    self.garbage.append(text.rstrip())


class Daemons:
    """Starts daemons, and ends them."""

    def __init__(self, cwd: Path) -> None:
        self._cwd = cwd
        self._started: list[Daemon] = []

    def __call__(self, *arguments: str) -> Daemon:
        """Start a daemon, and wait until it has said so."""
        daemon = Daemon(*arguments, cwd=self._cwd)
        self._started.append(daemon)
        daemon.until(
            lambda: bool(daemon.said("started")) or daemon.returncode is not None, "started"
        )
        assert daemon.returncode is None, daemon.transcript
        return daemon

    def end(self) -> None:
        for daemon in self._started:
            daemon.kill()


@contextmanager
def daemons(cwd: Path) -> Iterator[Daemons]:
    """Daemons that are killed at the end, whatever happened."""
    started = Daemons(cwd)
    try:
        yield started
    finally:
        started.end()


def aerostat(
    *arguments: str, environment: Mapping[str, str] | None = None, deadline_s: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "aerostat", *arguments],
        env={**os.environ, "COLUMNS": "200", **(environment or {})},  # wide: no message is wrapped
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline_s,
        check=False,
    )
