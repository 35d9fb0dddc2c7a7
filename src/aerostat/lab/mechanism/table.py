"""The measurement before people."""

from collections.abc import Callable, Sequence
from itertools import groupby

from rich import box
from rich.table import Table
from rich.text import Text

from aerostat.lab.mechanism.found import DaemonCost, Mechanism, Move
from aerostat.present.wording import ABSENT, format_bytes, format_percent, spread_of
from aerostat.units import MIB

Figure = Callable[[Move], float | None]


def mechanism_table(found: Mechanism) -> Table:
    """A row a kind of move: means over the repeats."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("move", no_wrap=True)
    for heading in ("speed", "host got\nback", "cores of\nthe VM", "requests\nlost"):
        table.add_column(heading, justify="right")
    for _, group in groupby(sorted(found.moves, key=_kind), key=_kind):
        moves = list(group)
        table.add_row(_title(moves[0], len(moves)), *_cells(moves))
    return table


def daemon_line(cost: DaemonCost) -> str:
    """What the daemon took."""
    guests = f"{cost.guests} guest{'s' if cost.guests != 1 else ''}"
    return (
        f"the daemon: {cost.cpu_ratio:.1%} of a core and {format_bytes(cost.peak_rss_bytes)} of "
        f"memory for {guests}, over {cost.watched_s:.0f} s"
    )


def _kind(move: Move) -> tuple[bool, bool, bool]:
    return move.huge_pages, not move.touched, move.direction != "inflate"


def _title(move: Move, runs: int) -> Text:
    touched = "touched" if move.touched else "untouched"
    pages = "huge pages" if move.huge_pages else "small pages"
    text = Text(f"{move.direction}, {touched}, {pages}", style="bold")
    text.append(f"  {runs} run{'s' if runs != 1 else ''}", style="not bold dim")
    return text


def _cells(moves: Sequence[Move]) -> list[str]:
    return [
        _mean(moves, lambda move: move.bytes_per_s, _speed),
        _mean(moves, lambda move: move.host_freed_bytes, _signed),
        _mean(moves, _cpu_ratio, lambda x: f"{x:.2f}"),
        _mean(
            moves,
            lambda m: m.lost / m.offered if m.offered and m.lost is not None else None,
            format_percent,
        ),
    ]


def _cpu_ratio(move: Move) -> float | None:
    return move.vm_cpu_s / move.took_s if move.vm_cpu_s is not None and move.took_s else None


def _mean(moves: Sequence[Move], figure: Figure, form: Callable[[float], str]) -> str:
    spread = spread_of([value for move in moves if (value := figure(move)) is not None])
    return ABSENT if spread is None else form(spread.mean)


def _signed(size_bytes: float) -> str:
    return format_bytes(size_bytes) if size_bytes >= 0 else f"-{format_bytes(-size_bytes)}"


def _speed(bytes_per_s: float) -> str:
    return f"{bytes_per_s / MIB:.0f} MiB/s"
