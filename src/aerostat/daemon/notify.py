"""Tells systemd how the daemon does; where there is no systemd, nothing happens.

The watchdog is fed by completed rounds: a daemon whose rounds fail, or hang, is not alive.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from aerostat.control.board import Status


class Notifier:
    """Follows a status board."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        environment = os.environ if environment is None else environment
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._pause_s = _pause_s(environment)
        self._now_s = now_s
        self._rounds = 0
        self._fed_s: float | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)  # a systemd that does not read must not stop a balancer

    def follow(self, status: Status) -> None:
        """Feed the watchdog, if a round has been completed; the first one makes us ready."""
        if status.rounds == self._rounds or status.failure is not None or status.last is None:
            return
        is_first, self._rounds = self._rounds == 0, status.rounds
        if is_first:
            self.tell(f"READY=1\nSTATUS=Balancing {len(status.last.snapshot.guests)} VMs")
        now_s = self._now_s()
        if self._fed_s is None or now_s - self._fed_s >= self._pause_s:
            self._fed_s = now_s
            self.tell("WATCHDOG=1")

    def reloading(self) -> None:
        """A reload begins."""
        self.tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """It is over, well or not."""
        self.tell("READY=1")

    def stopping(self) -> None:
        """The end begins."""
        self.tell("STOPPING=1")

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def tell(self, text: str) -> None:
        """Send one message; never waits, never fails."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError):
            self._socket.sendto(text.encode(), address)


def _pause_s(environment: Mapping[str, str]) -> float:
    """A third of the time after which systemd would act; without one, once a second."""
    given = environment.get("WATCHDOG_USEC", "")
    return int(given) / 3e6 if given.isdecimal() else 1.0
