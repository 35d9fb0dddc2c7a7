"""Makes changes to the host, each recorded first, and undoes them."""

import os
import stat
from collections.abc import Collection
from pathlib import Path

from aerostat.host.meminfo import parse_meminfo
from aerostat.host.techniques.kernel import Kernel, chosen
from aerostat.host.techniques.swaps import is_swapped_to, read_swaps
from aerostat.host.techniques.technique import SPARING, VM_LIMIT, TechniqueError
from aerostat.host.techniques.undo_log import Change, Kind, UndoLog

KSM = "/sys/kernel/mm/ksm"
KSM_PART = "2"
"""Written to KSM's ``run``: part all merged pages again, and stop."""

KEPT_BYTES = 64 << 20
"""What must stay available on the host after memory was brought back for a restore."""


class Changes:
    """The changes that one technique makes."""

    def __init__(self, technique: str, kernel: Kernel, log: UndoLog) -> None:
        self._technique = technique
        self._kernel = kernel
        self._log = log

    def set_knob(self, name: str, value: str, *, kind: Kind = Kind.KNOB) -> None:
        """Set a file of /sys, if it is not as wanted already.

        Raises:
            TechniqueError: the kernel refused, or took it for something else.
        """
        before = chosen(self._kernel.read(name))
        if before == value:
            return
        change = self._change(kind, name, before=before, applied=value)
        self._log.record(change)
        try:
            self._kernel.write(name, value)
        except TechniqueError:
            if chosen(self._kernel.read(name)) == before:
                self._log.drop(change)
            raise
        now = chosen(self._kernel.read(name))
        if now != value:
            raise TechniqueError(f"{name}: '{value}' was written, and it reads '{now}'")

    def write(self, name: str, value: str, *, before: str, may_fall_short: bool = False) -> None:
        """Write a file that reads otherwise than it is written; undone by writing ``before``.

        Raises:
            TechniqueError: the kernel refused.
        """
        self._log.record(self._change(Kind.WRITTEN, name, before=before, applied=value))
        self._kernel.write(name, value, may_fall_short=may_fall_short)

    def swap_on(self, device: str, *, priority: int | None) -> None:
        """Swap to a device or file that is ready for it.

        Raises:
            TechniqueError: it is in use already, or the kernel refused.
        """
        if is_swapped_to(self._kernel, device):
            raise TechniqueError(f"{device} is swapped to already")
        self._log.record(self._change(Kind.SWAP, device))
        options = [] if priority is None else ["--priority", str(priority)]
        self._kernel.run(["swapon", *options, device])

    def make_file(self, path: Path, size_bytes: int) -> None:
        """Make a file of our own, its blocks allocated, readable by nobody else.

        Raises:
            TechniqueError: there is something already, or no room.
        """
        change = self._change(Kind.FILE, str(path))
        if path.exists():
            raise TechniqueError(f"{path} exists; name a file that does not")
        self._log.record(change)
        try:
            number = os.open(
                path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR
            )
            try:
                os.posix_fallocate(number, 0, size_bytes)
            finally:
                os.close(number)
        except OSError as error:
            raise TechniqueError(
                f"{path}: no file of {size_bytes} bytes: {error.strerror}"
            ) from error

    def add_zram(self) -> int:
        """Add a zram device and return its number.

        Raises:
            TechniqueError: the kernel has none to give.
        """
        number = int(self._kernel.read("/sys/class/zram-control/hot_add"))
        self._log.record(self._change(Kind.ZRAM, str(number)))
        return number

    def undo(self) -> list[str]:
        """Undo what this technique changed; in words what could not be."""
        return self._log.undo(self._technique, lambda change: undo(change, self._kernel))

    def undo_others(self, kept: Collection[str]) -> list[str]:
        """Undo what this technique changed, but for these files; in words what could not be."""
        pending = self._log.pending(self._technique)
        others = [change for change in pending if change.target not in kept]
        return self._log.undo_these(others, lambda change: undo(change, self._kernel))

    def _change(self, kind: Kind, target: str, *, before: str = "", applied: str = "") -> Change:
        return Change(
            technique=self._technique, kind=kind, target=target, before=before, applied=applied
        )


def undo(change: Change, kernel: Kernel) -> str | None:
    """Undo one change; a change that is not there any more is undone.

    Returns:
        A remark for the operator, where somebody else has a hand in it.

    Raises:
        TechniqueError: it could not be undone.
    """
    match change.kind:
        case Kind.KNOB:
            return _put_back(change, kernel)
        case Kind.KSM_RUN:
            if change.before == "0":
                _part_merged_pages(kernel)
            kernel.write(change.target, change.before)
        case Kind.WRITTEN:
            if kernel.path(change.target).exists():  # a cgroup ends with its VM
                kernel.write(change.target, change.before)
        case Kind.SWAP:
            _swap_off(change.target, kernel)
        case Kind.ZRAM:
            if kernel.path(f"/sys/block/zram{change.target}").exists():
                kernel.write("/sys/class/zram-control/hot_remove", change.target)
        case Kind.FILE:
            Path(change.target).unlink(missing_ok=True)
    return None


def _put_back(change: Change, kernel: Kernel) -> str | None:
    is_of_a_vm = change.technique.startswith((SPARING, VM_LIMIT))
    if is_of_a_vm and not kernel.path(change.target).exists():
        return None  # a cgroup ends with its VM
    now = chosen(kernel.read(change.target))
    if now not in (change.before, change.applied):
        # What was there before us is not what they want now.
        return f"{change.target} is left at '{now}': somebody has set it since"
    if now != change.before:
        kernel.write(change.target, change.before)
    return None


def _part_merged_pages(kernel: Kernel) -> None:
    sharing = kernel.read_if_any(f"{KSM}/pages_sharing") or "0"
    _require_room(kernel, int(sharing) * os.sysconf("SC_PAGE_SIZE"), "parting merged pages")
    kernel.write(f"{KSM}/run", KSM_PART)


def _swap_off(device: str, kernel: Kernel) -> None:
    swap = next((s for s in read_swaps(kernel) if s.device == device), None)
    if swap is None:
        return
    _require_room(kernel, swap.used_bytes, f"ending swap to {device}")
    kernel.run(["swapoff", device])


def _require_room(kernel: Kernel, size_bytes: int, what: str) -> None:
    """Bringing memory back must not drive the host out of it."""
    available = parse_meminfo(kernel.read("/proc/meminfo")).available_bytes
    if size_bytes > max(0, available - KEPT_BYTES):
        raise TechniqueError(
            f"{what} would bring {size_bytes >> 20} MiB back, and the host has "
            f"{available >> 20} MiB available: free some memory, then restore again"
        )
