"""Progress of long work: a line on a terminal, nothing in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def counting(
    console: Console, what: str, *, total: int | None = None, is_quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Count up while the block runs; what it gives is told how many are done.

    Args:
        console: where it is shown, if that is a terminal.
        what: the word beside the count.
        total: how many there will be; None: nobody knows.
        is_quiet: show nothing.
    """
    columns = [TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()]
    if total is not None:
        columns.insert(1, BarColumn(bar_width=30))
    with Progress(
        *columns, console=console, transient=True, disable=is_quiet or not console.is_terminal
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
