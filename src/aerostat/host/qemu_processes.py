"""Finds QEMU processes on this host by what their command lines say."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from aerostat.host.proc_text import read_text_if_any
from aerostat.host.qemu_command_line import is_qemu, monitor_paths, value_of


def read_arguments(directory: Path) -> tuple[str, ...]:
    """A process's command line; empty when it is gone or a thread of the kernel."""
    text = read_text_if_any(directory / "cmdline") or ""
    return tuple(text.rstrip("\0").split("\0")) if text else ()


def qemu_processes(root: Path = Path("/")) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Directories in /proc, and command lines, of all QEMU processes that can be seen."""
    for directory in (root / "proc").iterdir():
        if directory.name.isdigit():
            arguments = read_arguments(directory)
            if is_qemu(arguments):
                yield directory, arguments


def pid_of_vm(uuid: str, root: Path = Path("/")) -> int | None:
    """The process of the VM with this UUID; None: it is not to be seen from here."""
    for directory, arguments in qemu_processes(root):
        if (value_of(arguments, "-uuid") or "").lower() == uuid.lower():
            return int(directory.name)
    return None


def monitors_of(directory: Path, arguments: Sequence[str]) -> tuple[Path, ...]:
    """Where the QEMU in this directory of /proc was told to listen for a QMP client."""
    try:
        start = (directory / "cwd").readlink()
    except OSError:
        start = Path("/")
    return tuple(start / path for path in monitor_paths(arguments))


def monitors_of_processes(
    root: Path = Path("/"),
    *,
    preferred: Callable[[Sequence[Path]], Iterable[Path]] = tuple,
) -> tuple[Path, ...]:
    """The same of all QEMU processes of this host.

    Args:
        root: below which /proc is.
        preferred: chooses among the monitors of one process.
    """
    return tuple(
        path
        for directory, arguments in qemu_processes(root)
        for path in preferred(monitors_of(directory, arguments))
    )
