"""The live view: frames in a terminal, and plain lines where there is none."""

from collections import deque
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live

from aerostat.lab.live.frame import frame_lines
from aerostat.lab.live.glyphs import ASCII, UNICODE
from aerostat.lab.live.picture import LivePicture
from aerostat.lab.live.plain import PlainProgress

HISTORY_LENGTH = 120  # marks a sparkline can show at most, one a second


class View(Protocol):
    """Something that shows pictures while it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

    def show(self, picture: LivePicture) -> None:
        """Show the newest picture; cheap enough for several a second."""
        ...


class ServedHistory:
    """Served over offered of each guest, a mark a second, for the sparklines."""

    def __init__(self) -> None:
        self.ratios: dict[str, deque[float | None]] = {}
        self._second: int | None = None
        self._arm: str | None = None

    def add(self, picture: LivePicture) -> None:
        """Take a picture's marks; several pictures in one second make one mark."""
        if picture.arm != self._arm:  # another arm's past says nothing about this one
            self.ratios, self._arm = {}, picture.arm
        is_same_second = int(picture.elapsed_s) == self._second
        self._second = int(picture.elapsed_s)
        for guest in picture.guests:
            marks = self.ratios.setdefault(guest.name, deque(maxlen=HISTORY_LENGTH))
            if is_same_second and marks:
                marks.pop()
            marks.append(guest.served_ratio)


class LiveView:
    """Frames drawn over each other in a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._glyphs = ASCII if console.options.ascii_only else UNICODE
        self._history = ServedHistory()
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, picture: LivePicture) -> None:
        """Draw a frame."""
        self._history.add(picture)
        self._live.update(self.frame(picture), refresh=True)

    def frame(self, picture: LivePicture) -> Group:
        """The frame for the console's present size."""
        size = self._console.size
        marks = {name: tuple(ratios) for name, ratios in self._history.ratios.items()}
        lines = frame_lines(picture, marks, size=(size.width, size.height), glyphs=self._glyphs)
        return Group(*lines)


def open_view(console: Console, *, is_quiet: bool = False) -> View:
    """The view that suits where the console writes to (give it one on stderr)."""
    if console.is_terminal and not console.is_dumb_terminal and not is_quiet:
        return LiveView(console)
    return PlainProgress(console.file, is_quiet=is_quiet)
