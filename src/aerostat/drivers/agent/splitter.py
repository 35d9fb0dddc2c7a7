"""Cuts what a guest sends into lines, within bounds: of bytes a line, and of lines a second."""

from collections.abc import Iterator

from aerostat.drivers.agent.lines import LINE_BYTES_MAX

LINES_PER_S = 20
"""An honest agent sends at most five: figures twice a second, and two triggers that fire twice."""


class BoundedLines:
    """Holds at most one unfinished line, and hands on at most ``LINES_PER_S``."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_skipping = False  # of a line that is too long
        self._second = -1
        self._lines = 0
        self.too_long = 0
        self.too_many = 0

    def feed(self, data: bytes, now_s: float) -> Iterator[bytes]:
        """Take in what came; yields finished lines, and counts what is dropped."""
        if int(now_s) != self._second:
            self._second, self._lines = int(now_s), 0
        *finished, rest = (self._rest + data).split(b"\n")
        for line in finished:
            if self._is_skipping:
                self._is_skipping = False
            elif len(line) > LINE_BYTES_MAX:
                self.too_long += 1
            elif self._lines >= LINES_PER_S:
                self.too_many += 1
            elif line:
                self._lines += 1
                yield line
        if len(rest) > LINE_BYTES_MAX:
            if not self._is_skipping:
                self.too_long += 1
            self._is_skipping, rest = True, b""
        self._rest = b"" if self._is_skipping else rest

    @property
    def is_over_its_rate(self) -> bool:
        """Whether nothing more of this second is handed on."""
        return self._lines >= LINES_PER_S
