"""Progress as plain lines, for logs and pipes: one every few seconds, and one at every change."""

from types import TracebackType
from typing import IO, Self

from aerostat.lab.live.frame import clock_words
from aerostat.lab.live.picture import GuestPicture, LivePicture
from aerostat.present.printable import printable
from aerostat.units import MIB


class PlainProgress:
    """Writes a line when the arm or phase changes, and every ``every_s`` seconds besides."""

    def __init__(self, stream: IO[str], *, every_s: float = 5.0, is_quiet: bool = False) -> None:
        self._stream = stream
        self._every_s = every_s
        self._is_quiet = is_quiet
        self._told: tuple[str, str] | None = None
        self._told_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        return None

    def show(self, picture: LivePicture) -> None:
        """Write the picture's line if it is time for one."""
        place = (picture.arm, picture.phase)
        if self._is_quiet or (
            place == self._told and picture.elapsed_s - self._told_s < self._every_s
        ):
            return
        if self._told is None:
            for note in picture.notes:
                self._write(printable(note))
        self._told, self._told_s = place, picture.elapsed_s
        self._write(progress_line(picture))

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def progress_line(picture: LivePicture) -> str:
    """A picture in one line."""
    parts = [printable(picture.arm)]
    if picture.phase:
        parts.append(printable(picture.phase))
    served = [guest.served_per_s for guest in picture.guests if guest.served_per_s is not None]
    offered = [guest.offered_per_s for guest in picture.guests if guest.offered_per_s is not None]
    if served and offered:
        parts.append(f"served {sum(served):.0f} of {sum(offered):.0f} ops/s")
    sizes = [_size(guest) for guest in picture.guests if guest.actual_bytes is not None]
    if sizes:
        parts.append(", ".join(sizes))
    if picture.host.held_bytes is not None:
        parts.append(f"host holds {picture.host.held_bytes / MIB:.0f} MiB")
    return f"[{clock_words(picture)}] {'; '.join(parts)}"


def _size(guest: GuestPicture) -> str:
    assert guest.actual_bytes is not None
    return f"{printable(guest.name)} {guest.actual_bytes / MIB:.0f} MiB"
