"""Finds QEMU processes on this host by what their command lines say."""

from collections.abc import Iterator
from pathlib import Path

from aerostat.host.proc_text import read_text_if_any
from aerostat.host.qemu_command_line import is_qemu, value_of


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
